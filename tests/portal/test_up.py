"""`manage.py up`, end to end: it serves, it says where, it stops in order, and it carries on."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import pytest

BASE_DIR = Path(__file__).resolve().parents[2]
_NOT_OURS = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "PYTEST_CURRENT_TEST"}

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """That of somebody who has just cloned the house, with a port and a data folder of their own."""
    with (
        tempfile.TemporaryDirectory(prefix="portal-up-") as folder,
        socket.create_server(("127.0.0.1", 0)) as probe,
    ):
        Path(folder).chmod(0o711)
        port = str(probe.getsockname()[1])
        probe.close()
        clean = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
        yield {**clean, "DATA_DIR": str(Path(folder) / "var"), "PORT": port, "WEB_WORKERS": "1"}


@contextlib.contextmanager
def _up(environment: dict[str, str]) -> Iterator[subprocess.Popen]:
    """`manage.py up`, once it serves; killed at the end if it still runs."""
    with _manage(environment, "up") as process:
        deadline = time.monotonic() + 60
        while not _is_ready(environment):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, "it did not answer within 60 s"
            time.sleep(0.2)
        yield process
        process.kill()


def _manage(environment: dict[str, str], *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _is_ready(environment: dict[str, str]) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{environment['PORT']}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _first_run(environment: dict[str, str]) -> Any:
    return json.loads((Path(environment["DATA_DIR"]) / "first-run.json").read_text())


def test_it_serves_says_where_and_stops_everything_at_ctrl_c(environment):
    with _up(environment) as process:
        family = psutil.Process(process.pid).children(recursive=True)
        facts = _first_run(environment)
        file = Path(environment["DATA_DIR"]) / "first-run.json"

        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 0, output
    assert "Traceback" not in output
    assert facts["admin_url"] in output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert facts.keys() == {
        *("base_url", "admin_url", "username", "password", "project_id", "key_id", "key_secret"),
    }
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive


def test_after_a_kill_it_carries_on_with_the_same_key(environment):
    with _up(environment) as process:
        before = _first_run(environment)
        process.kill()

    with _up(environment) as process:
        assert _first_run(environment) == before
        process.terminate()
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 0, output


def test_one_program_down_brings_the_rest_down_and_says_so(environment):
    with _up(environment) as process:
        family = psutil.Process(process.pid).children(recursive=True)
        next(child for child in family if "beat" in child.cmdline()).kill()
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "beat was killed by SIGKILL: stopping the rest." in output
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive


def test_a_second_one_on_the_same_data_is_refused_and_commands_use_the_first_ones_servers(environment):
    with _up(environment):
        with _manage(environment, "up") as second:
            refusal, _ = second.communicate(timeout=60)
        with _manage(environment, "showmigrations", "projects") as command:
            listing, _ = command.communicate(timeout=60)

    assert second.returncode == 1
    assert "already runs" in refusal
    assert len(refusal.splitlines()) == 1
    assert command.returncode == 0
    assert "[X] 0001" in listing


def test_a_taken_port_is_one_sentence(environment):
    with socket.create_server(("127.0.0.1", int(environment["PORT"]))), _manage(environment, "up") as process:
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "Address already in use" in output
    assert len(output.splitlines()) == 1


def test_a_data_folder_that_cannot_be_written_is_one_sentence(environment):
    with _manage({**environment, "DATA_DIR": "/proc/nowhere"}, "up") as process:
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    assert output.startswith("/proc/nowhere cannot be written")
    assert len(output.splitlines()) == 1


def test_a_missing_setting_outside_up_is_one_sentence(environment):
    with _manage(environment, "check") as process:
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    assert output.startswith("SECRET_KEY is not set")
    assert len(output.splitlines()) == 1
