"""`manage.py up`, end to end: it serves, it says where, it stops in order, and it carries on."""

import shutil
import signal
import socket
import stat
from collections.abc import Iterator

import psutil
import pytest

from tests.live.house import House, new_house, wait_until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(180)]


@pytest.fixture
def house() -> Iterator[House]:
    """One that was never started."""
    with new_house(WEB_WORKERS="1") as house:
        yield house


def test_it_serves_says_where_and_stops_everything_at_ctrl_c(house):
    family = house.start().family()
    file = house.data_dir / "first-run.json"

    status = house.stop(signal.SIGINT)

    assert status == 0, house.output
    assert "Traceback" not in house.output
    assert house.facts["admin_url"] in house.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert house.facts.keys() == {
        *("base_url", "admin_url", "username", "password", "project_id", "key_id", "key_secret"),
    }
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive


@pytest.mark.long
def test_it_says_where_the_data_really_is(house):
    house.data_dir.parent.chmod(0o700)  # root's servers cannot reach it, so their data lies elsewhere
    house.start()
    home = (house.data_dir / "embedded").resolve()

    assert house.stop() == 0

    assert f"PostgreSQL runs, with its data in {home}/postgres.\n" in house.output
    assert f"Valkey runs, with its data in {home}/valkey.\n" in house.output
    shutil.rmtree(home)


@pytest.mark.long
def test_after_a_kill_it_carries_on_with_the_same_key(house):
    before = house.start().facts
    house.process.kill()
    house.process.wait()

    house.start()

    assert house.facts == before
    assert house.stop(signal.SIGTERM) == 0, house.output


@pytest.mark.long
@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("beat", "beat was killed by SIGKILL: it starts again in 1 s."),
        ("granian", "web was killed by SIGKILL: it starts again in 1 s."),
        ("-D", "PostgreSQL was killed by SIGKILL: it starts again in 1 s."),
    ],
)
def test_what_is_killed_starts_again_and_the_rest_goes_on(house, word, told):
    family = house.start().family()
    fallen = next(child for child in family if word in child.cmdline())
    command = fallen.cmdline()
    fallen.kill()

    wait_until(lambda: told in house.output, seconds=10, what=told)
    wait_until(lambda: command in [child.cmdline() for child in house.family()], seconds=20, what=word)
    wait_until(house.answers, seconds=20, what="an answer")

    assert house.stop() == 0, house.output


@pytest.mark.long
def test_a_killed_worker_of_the_web_is_replaced(house):
    house.start()
    web = next(child for child in house.family() if "granian" in child.cmdline())
    (worker,) = (child for child in web.children() if "granian" in child.cmdline())
    worker.kill()

    wait_until(lambda: "Respawning worker-1" in house.output, seconds=10, what="another worker")
    wait_until(house.answers, seconds=20, what="an answer")

    assert web.is_running()
    assert house.stop() == 0, house.output


@pytest.mark.long
def test_a_second_one_on_the_same_data_is_refused_and_commands_use_the_first_ones_servers(house):
    house.start()

    second = house.manage("up")
    listing = house.manage("showmigrations", "projects")

    assert second.returncode == 1
    assert "already runs" in second.stdout
    assert len(second.stdout.splitlines()) == 1
    assert listing.returncode == 0
    assert "[X] 0001" in listing.stdout


def test_a_taken_port_is_one_sentence(house):
    with socket.create_server(("127.0.0.1", house.port)):
        refused = house.manage("up")

    assert refused.returncode == 1
    assert "Address already in use" in refused.stdout
    assert len(refused.stdout.splitlines()) == 1


def test_a_data_folder_that_cannot_be_written_is_one_sentence():
    with new_house(DATA_DIR="/proc/nowhere") as house:
        refused = house.manage("up")

    assert refused.returncode == 1
    assert refused.stdout.startswith("/proc/nowhere cannot be written")
    assert len(refused.stdout.splitlines()) == 1


def test_a_missing_setting_outside_up_is_one_sentence(house):
    refused = house.manage("check")

    assert refused.returncode == 1
    assert refused.stdout.startswith("SECRET_KEY is not set")
    assert len(refused.stdout.splitlines()) == 1
