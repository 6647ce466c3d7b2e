"""Runs processes together: who falls is started again, and at the end all are stopped in order."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from portal.running import lifetime
from portal.running.falling import DELAYS, Restartable, Watch
from portal.running.relaying import Relay

_WARM_SECONDS = 20.0  # for a worker to finish what it has begun


@dataclass(frozen=True)
class Program:
    """What to run, and under which name its lines appear."""

    name: str
    command: list[str]


@dataclass
class _Running:
    """A program and its process."""

    name: str
    process: "subprocess.Popen[bytes]"
    start: Callable[[], "subprocess.Popen[bytes]"]

    def start_again(self) -> None:
        _kill_group(self.process.pid)  # its children may still hold what the next one needs
        self.process = self.start()


class Supervisor:
    """The programs of one `make run`; use it from the main thread, as a context: they end with the block."""

    def __init__(self, programs: list[Program], *, environment: Mapping[str, str], cwd: Path) -> None:
        self._programs = programs
        self._environment = {**environment, "PYTHONUNBUFFERED": "1"}
        self._cwd = cwd
        self._running: list[_Running] = []
        self._relay = Relay([program.name for program in programs])
        self._is_asked_to_stop = False
        self._hurries = False

    def __enter__(self) -> "Supervisor":
        asked = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        self._handlers = {number: signal.signal(number, self._ask_to_stop) for number in asked}
        for program in self._programs:
            start = partial(self._start, program)
            self._running.append(_Running(program.name, start(), start))
        return self

    def __exit__(self, *_: object) -> None:
        """Stop them in the order they were given."""
        for running in self._running:
            self._stop(running.process)
        self._relay.hear_out(seconds=1)  # their last words before ours
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def wait(
        self,
        *,
        others: Iterable[Restartable] = (),
        delays: tuple[float, ...] = DELAYS,
        tell: Callable[[str], None],
    ) -> None:
        """Return when we are asked to stop. Who falls meanwhile is started again after a while, `others` too.

        Raises falling.GivenUp with the first that fell more often than there are delays.
        """
        watches = [Watch(each, delays) for each in (*others, *self._running)]
        while not self._is_asked_to_stop:
            for watch in watches:
                if news := watch.look():
                    tell(news)
            self._relay.listen(seconds=0.1)

    def wait_until(self, is_ready: Callable[[], bool], *, seconds: float) -> bool:
        """Whether it became ready in time, with everything still running."""
        deadline = time.monotonic() + seconds
        while not is_ready():
            has_fallen = any(running.process.poll() is not None for running in self._running)
            if self._is_asked_to_stop or has_fallen or time.monotonic() > deadline:
                return False
            self._relay.listen(seconds=0.1)
        return True

    def _start(self, program: Program) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(  # noqa: S603 -- our own command lines
            program.command,
            cwd=self._cwd,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is for us, who stop them in order
            # By force: when we are gone nobody reads what they say, and the row decides what was done.
            preexec_fn=lifetime.dying_with_parent(signal.SIGKILL),  # noqa: PLW1509 -- no thread runs
        )
        if process.stdout:
            self._relay.hear(program.name, process.stdout)
        return process

    def _stop(self, process: "subprocess.Popen[Any]") -> None:
        process.terminate()
        deadline = time.monotonic() + _WARM_SECONDS
        while process.poll() is None and time.monotonic() < deadline and not self._hurries:
            self._relay.listen(seconds=0.05)
        _kill_group(process.pid)
        process.wait()

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._hurries = self._is_asked_to_stop
        self._is_asked_to_stop = True


def _kill_group(leader: int) -> None:
    """Whatever a program left behind in its session, the program itself included."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def listening_fault(host: str, port: int, *, patience: float) -> str:
    """Why nobody can listen there, after `patience` seconds of trying; nothing if one can."""
    deadline = time.monotonic() + patience
    while True:
        try:
            with socket.create_server((host, port), family=_family(host)):
                return ""
        except OverflowError as error:  # a port of more than 16 bits
            return str(error)
        except OSError as error:
            if time.monotonic() > deadline:
                return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        time.sleep(0.1)


def serves(host: str, port: int) -> bool:
    """Whether something answers there as a web server does."""
    # Whoever listens on every address answers on the loopback.
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- compared, not bound
    try:
        with socket.create_connection((target, port), timeout=5) as connection:
            connection.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return connection.recv(4) == b"HTTP"
    except OSError:
        return False


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
