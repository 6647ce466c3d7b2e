"""Runs processes together: their lines under their names, one down all down, stopped in order."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from portal.running import lifetime

_WARM_SECONDS = 20.0  # for a worker to finish what it has begun
_COLOURS = [36, 32, 35, 33, 34]


@dataclass(frozen=True)
class Program:
    """What to run, and under which name its lines appear."""

    name: str
    command: list[str]


@dataclass(frozen=True)
class Fallen:
    """A process that ended although nobody asked it to."""

    name: str
    status: int

    def __str__(self) -> str:
        if self.status < 0:
            return f"{self.name} was killed by {signal.Signals(-self.status).name}: stopping the rest."
        return f"{self.name} ended with {self.status}: stopping the rest."


class Supervisor:
    """The programs of one `make run`; use it from the main thread, as a context: they end with the block."""

    def __init__(self, programs: list[Program], *, environment: Mapping[str, str], cwd: Path) -> None:
        self._programs = programs
        self._environment = {**environment, "PYTHONUNBUFFERED": "1"}
        self._cwd = cwd
        self._running: dict[str, subprocess.Popen[Any]] = {}
        self._relays: list[threading.Thread] = []
        self._printing = threading.Lock()
        self._is_asked_to_stop = False
        self._hurries = False

    def __enter__(self) -> "Supervisor":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        for program in self._programs:
            self._running[program.name] = self._start(program)
        # Threads last: a process with threads must not fork.
        width = max(len(program.name) for program in self._programs)
        for place, (name, process) in enumerate(self._running.items()):
            prefix = f"{name:>{width}} | "
            if sys.stdout.isatty():
                prefix = f"\x1b[{_COLOURS[place % len(_COLOURS)]}m{prefix}\x1b[0m"
            relay = threading.Thread(target=self._relay, args=(process.stdout, prefix), daemon=True)
            relay.start()
            self._relays.append(relay)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop them in the order they were given."""
        for process in self._running.values():
            self._stop(process)
        for relay in self._relays:
            relay.join(timeout=1)  # their last words before ours

    def wait(self, *, others: Mapping[str, "subprocess.Popen[Any]"]) -> Fallen | None:
        """Return when we are asked to stop, or with the first that fell, `others` watched beside our own."""
        watched = {**self._running, **others}
        while not self._is_asked_to_stop:
            for name, process in watched.items():
                if process.poll() is not None:
                    return Fallen(name, process.returncode)
            time.sleep(0.1)
        return None

    def wait_until(self, is_ready: Callable[[], bool], *, seconds: float) -> bool:
        """Whether it became ready in time, with everything still running."""
        deadline = time.monotonic() + seconds
        while not is_ready():
            has_fallen = any(process.poll() is not None for process in self._running.values())
            if self._is_asked_to_stop or has_fallen or time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def _start(self, program: Program) -> "subprocess.Popen[Any]":
        return subprocess.Popen(  # noqa: S603 -- our own command lines
            program.command,
            cwd=self._cwd,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # a Ctrl-C is for us, who stop them in order
            # By force: when we are gone nobody reads what they say, and the row decides what was done.
            preexec_fn=lifetime.dying_with_parent(signal.SIGKILL),  # noqa: PLW1509 -- no thread runs yet
        )

    def _relay(self, lines: Iterable[str], prefix: str) -> None:
        for line in lines:
            with self._printing:
                self._print(prefix + line)

    def _print(self, text: str) -> None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            # Our reader left; the programs must not block on a full pipe for it.
            sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 -- for the rest of our life

    def _stop(self, process: "subprocess.Popen[Any]") -> None:
        process.terminate()
        deadline = time.monotonic() + _WARM_SECONDS
        while process.poll() is None and time.monotonic() < deadline and not self._hurries:
            time.sleep(0.05)
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
