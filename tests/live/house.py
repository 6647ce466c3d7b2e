"""The whole house as processes: web, workers and clock on an embedded PostgreSQL and Redis of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN = 60.0  # seconds: the promise of `make run`
# What the suite sets for itself must not leak into a house that makes its own.
OURS = frozenset(
    {
        "DATABASE_URL",
        "REDIS_URL",
        "SECRET_KEY",
        "FIELD_ENCRYPTION_KEYS",
        "CHANNELS_SANDBOXED",
        "OUTBOUND_ALLOWED_NETWORKS",
        "PUBLIC_URL",
        "PYTEST_CURRENT_TEST",
    }
)


class House:
    """`manage.py up` for somebody who has just cloned the house, in a folder and on a port of their own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.data_dir = folder / "var"
        self.port = free_port()
        inherited = {name: value for name, value in os.environ.items() if name not in OURS}
        own = {"DATA_DIR": str(self.data_dir), "PORT": str(self.port)}
        self.environment = inherited | own | environment
        self.process: subprocess.Popen[bytes] | None = None
        self._log = folder / "up.log"

    def start(self) -> House:
        """Start it, again if need be; returns when it serves."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + STARTS_WITHIN
        while not self.answers():
            assert not self._fell(), self.output[-4000:]
            assert time.monotonic() < deadline, f"no answer in {STARTS_WITHIN} s\n{self.output[-4000:]}"
            time.sleep(0.1)
        return self

    def kill(self) -> None:
        """`kill -9` of every process of the house, at once."""
        assert self.process is not None
        for process in [psutil.Process(self.process.pid), *self.family()]:
            with contextlib.suppress(psutil.NoSuchProcess):  # some die with their parent
                process.kill()
        self.process.wait()

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Ctrl-C, or another signal; gives the exit status."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.ended()

    def ended(self) -> int:
        """The exit status, once it has come to its end."""
        assert self.process is not None
        return self.process.wait(timeout=60)

    def family(self) -> list[psutil.Process]:
        """Every process that it has started."""
        assert self.process is not None
        children: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return children

    @property
    def output(self) -> str:
        """What all of it has said since the first start."""
        return self._log.read_text()

    @property
    def facts(self) -> dict[str, Any]:
        """first-run.json."""
        facts: dict[str, Any] = json.loads((self.data_dir / "first-run.json").read_text())
        return facts

    def answers(self) -> bool:
        """Whether it can serve."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command on the same data; its stdout holds what it said on stderr too."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )

    def _fell(self) -> bool:
        return self.process is not None and self.process.poll() is not None


@contextlib.contextmanager
def new_house(**environment: str) -> Iterator[House]:
    """A house yet to be started, in a folder that goes with it; stopped at the end if it still runs."""
    with tempfile.TemporaryDirectory(prefix="house-") as folder:
        # Started by root, the servers are not root's: they must get to their own folder in it.
        Path(folder).chmod(0o711)
        house = House(Path(folder), **environment)
        try:
            yield house
        finally:
            if house.process:
                house.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_until(is_so: Callable[[], Any], *, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(0.1)
