"""Falling: a program that ended unasked starts again after a while, unless it falls again and again."""

import signal
import time
from dataclasses import dataclass, field
from typing import Any, Protocol

DELAYS = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds before it starts again; who falls once more is given up
STEADY_SECONDS = 60.0  # who has run so long begins anew


class Process(Protocol):
    """As `subprocess.Popen` has it."""

    returncode: Any

    def poll(self) -> int | None:
        """Its exit status, once it has ended."""


class Restartable(Protocol):
    """What runs as a process."""

    @property
    def name(self) -> str:
        """As people know it."""

    @property
    def process(self) -> Process:
        """The one that runs, or ran last."""

    def start_again(self) -> None:
        """Have another in its place."""


class GivenUp(Exception):
    """Something ended unasked once too often; its text says what, and how."""


@dataclass
class Watch:
    """Keeps one thing running. Raises GivenUp when that does not help."""

    watched: Restartable
    delays: tuple[float, ...] = DELAYS
    _falls: int = 0  # in a row
    _started_at: float = field(default_factory=time.monotonic)
    _starts_at: float | None = None

    def look(self) -> str:
        """Start it again when its time has come; gives what there is to tell."""
        if self._starts_at is not None:
            if time.monotonic() >= self._starts_at:
                self._start()
            return ""
        if self.watched.process.poll() is None:
            return ""
        return self._fell()

    def _fell(self) -> str:
        now = time.monotonic()
        if now - self._started_at >= STEADY_SECONDS:
            self._falls = 0
        end = _end(self.watched)
        if self._falls == len(self.delays):
            raise GivenUp(end)
        delay = self.delays[self._falls]
        self._falls += 1
        self._starts_at = now + delay
        return f"{end}: it starts again in {delay:g} s."

    def _start(self) -> None:
        self.watched.start_again()
        self._started_at, self._starts_at = time.monotonic(), None


def _end(fallen: Restartable) -> str:
    status = fallen.process.returncode
    if status < 0:
        return f"{fallen.name} was killed by {signal.Signals(-status).name}"
    return f"{fallen.name} ended with {status}"
