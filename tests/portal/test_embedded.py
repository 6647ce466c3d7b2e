"""The embedded servers, with real ones: whatever was left behind, the next start finds its data."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from portal import embedded
from portal.embedded import account, places, postgres, serving, valkey
from portal.embedded.places import EmbeddedError
from portal.running import lifetime

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder that the servers' account can reach, whoever runs the suite."""
    with tempfile.TemporaryDirectory(prefix="portal-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def _ask(data_dir: Path, statement: str) -> list[tuple]:
    with psycopg.connect(embedded.database_url(data_dir), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def owner(data_dir) -> Iterator[subprocess.Popen]:
    """Another process, that owns the servers until it is killed."""
    story = (
        "import sys, time; from pathlib import Path; from portal.embedded import serving, postgres, valkey\n"
        "with serving.owned(Path(sys.argv[1]), [postgres, valkey]):\n"
        "    print('serving', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", story, str(data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "serving\n"
        yield process
        process.kill()


def _postmaster(data_dir: Path) -> psutil.Process:
    pid_file = data_dir.joinpath("embedded").resolve() / "postgres" / "postmaster.pid"
    return psutil.Process(int(pid_file.read_text().split()[0]))


def test_a_second_start_finds_what_the_first_kept(data_dir):
    with serving.owned(data_dir, [postgres, valkey]):
        _ask(data_dir, "CREATE TABLE kept AS SELECT 'hello' AS word")
        redis.Redis.from_url(embedded.redis_url(data_dir)).set("word", "hello")

    with serving.owned(data_dir, [postgres, valkey]):
        assert _ask(data_dir, "SELECT word FROM kept") == [("hello",)]
        assert redis.Redis.from_url(embedded.redis_url(data_dir)).get("word") == b"hello"


def test_nobody_else_can_read_the_password_or_reach_the_sockets(data_dir):
    with serving.owned(data_dir, [postgres, valkey]):
        secret = data_dir / "secrets" / "POSTGRES_PASSWORD"
        sockets = places.socket_folder(data_dir)

        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert _ask(data_dir, "SHOW listen_addresses") == [("",)]
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host=str(sockets), user="portal", dbname="postgres", password="guessed")


def test_the_servers_die_with_an_owner_that_is_killed_and_start_again(owner, data_dir):
    _ask(data_dir, "CREATE TABLE kept AS SELECT 1 AS one")
    postmaster = _postmaster(data_dir)

    owner.kill()
    owner.wait()

    with serving.owned(data_dir, [postgres, valkey]):
        assert _ask(data_dir, "SELECT one FROM kept") == [(1,)]
        assert not postmaster.is_running() or postmaster.status() == psutil.STATUS_ZOMBIE


def test_data_survives_the_killing_of_everything(owner, data_dir):
    _ask(data_dir, "CREATE TABLE kept AS SELECT 1 AS one")

    for process in [_postmaster(data_dir), *psutil.Process(owner.pid).children(), psutil.Process(owner.pid)]:
        process.kill()
    owner.wait()

    with serving.owned(data_dir, [postgres, valkey]):
        assert _ask(data_dir, "SELECT one FROM kept") == [(1,)]


@pytest.mark.parametrize(
    "content", ["", "12", f"{os.getpid()}\n/somewhere\n"], ids=["empty", "cut", "another's"]
)
def test_a_pid_file_that_means_nothing_is_no_obstacle(data_dir, content):
    with serving.owned(data_dir, [postgres]):
        """Make a database."""
    pid_file = data_dir.joinpath("embedded").resolve() / "postgres" / "postmaster.pid"
    pid_file.write_text(content)

    with serving.owned(data_dir, [postgres]):
        assert _ask(data_dir, "SELECT 1") == [(1,)]


def test_a_database_half_made_is_made_anew(data_dir):
    home = places.make_home(data_dir, account.for_servers())
    (home / "postgres.draft").mkdir()
    (home / "postgres.draft" / "PG_VERSION").write_text("18")
    (home / "postgres.password").write_text("left behind")

    with serving.owned(data_dir, [postgres]):
        assert _ask(data_dir, "SELECT 1") == [(1,)]


def test_a_command_uses_the_servers_of_a_running_owner_and_leaves_them(owner, data_dir):
    postmaster = _postmaster(data_dir)

    with serving.available(data_dir, [postgres, valkey]):
        assert _ask(data_dir, "SELECT 1") == [(1,)]

    assert postmaster.is_running()


def test_a_command_that_owns_the_servers_lets_another_finish_first(data_dir):
    story = (
        "import sys, time; from pathlib import Path; from portal.embedded import serving, postgres\n"
        "with serving.available(Path(sys.argv[1]), [postgres]):\n"
        "    print('serving', flush=True); sys.stdin.readline()"
    )
    command = [sys.executable, "-c", story, str(data_dir)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "serving\n"

        with serving.available(data_dir, [postgres]):
            assert first.stdin is not None
            first.stdin.write("finish\n")
            first.stdin.flush()
            with pytest.raises(subprocess.TimeoutExpired):
                first.wait(1)
            assert _ask(data_dir, "SELECT 1") == [(1,)]

        assert first.wait(30) == 0


def test_only_one_process_owns_the_servers(owner, data_dir):
    with pytest.raises(lifetime.Busy), serving.owned(data_dir, [postgres], patience=0):
        pytest.fail("two owners")


def test_a_data_folder_with_a_long_path_has_short_sockets(data_dir):
    deep = data_dir / ("deep" * 20) / ("deeper" * 10)
    deep.mkdir(parents=True)

    with serving.owned(deep, [postgres, valkey]):
        assert _ask(deep, "SELECT 1") == [(1,)]
        assert len(str(places.socket_folder(deep) / places.POSTGRES_SOCKET)) < 104
    shutil.rmtree(places.socket_folder(deep))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as somebody else")
def test_under_a_closed_home_the_data_moves_out_and_the_home_stays_closed(data_dir, capsys):
    home = data_dir / "home"
    home.mkdir(mode=0o700)

    with serving.owned(home / "var", [postgres]):
        assert _ask(home / "var", "SELECT 1") == [(1,)]

    moved = (home / "var" / "embedded").readlink()
    assert str(moved) in capsys.readouterr().err
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    shutil.rmtree(moved)


def test_a_lost_password_is_said_in_one_sentence(data_dir):
    with serving.owned(data_dir, [postgres]):
        """Make a database."""
    places.keep_secret(data_dir, "POSTGRES_PASSWORD", "another")

    with pytest.raises(EmbeddedError, match="has another password"), serving.owned(data_dir, [postgres]):
        pytest.fail("it let us in")

    assert not [process for process in psutil.Process().children() if "postgres" in process.name()]


def test_ctrl_c_at_the_terminal_does_not_reach_the_servers(data_dir):
    with serving.owned(data_dir, [postgres]) as (server,):
        assert os.getsid(server.process.pid) != os.getsid(0)
        assert server.stop_signal == signal.SIGINT
