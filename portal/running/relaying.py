"""Relaying: what the programs say appears here line by line, each under its name."""

import os
import selectors
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_AT_ONCE = 65_536  # bytes
_COLOURS = [36, 32, 35, 33, 34]


@dataclass
class _Voice:
    """One program's output, and its last line as far as it has come."""

    stream: IO[bytes]
    prefix: str
    begun: bytes = b""


class Relay:
    """Passes on what is said while it listens.

    Without threads: who has some must not fork, and whoever starts programs again forks all the time.
    """

    def __init__(self, names: list[str]) -> None:
        width = max(len(name) for name in names)
        self._prefixes = {name: _prefix(name.rjust(width), place) for place, name in enumerate(names)}
        self._voices = selectors.DefaultSelector()

    def hear(self, name: str, stream: IO[bytes]) -> None:
        """Listen to this program too, until nobody can say anything there any more."""
        self._voices.register(stream, selectors.EVENT_READ, _Voice(stream, self._prefixes[name]))

    def listen(self, *, seconds: float) -> None:
        """Pass on what is said in that time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            for key, _ in self._voices.select(left):
                self._pass_on(key.data)

    def hear_out(self, *, seconds: float) -> None:
        """Pass on everybody's last words, as far as they come in that time."""
        deadline = time.monotonic() + seconds
        while self._voices.get_map() and time.monotonic() < deadline:
            self.listen(seconds=0.01)

    def _pass_on(self, voice: _Voice) -> None:
        said = os.read(voice.stream.fileno(), _AT_ONCE)
        *lines, voice.begun = (voice.begun + said).split(b"\n")
        if not said:
            self._voices.unregister(voice.stream)
            voice.stream.close()
            lines = [voice.begun] if voice.begun else []
        _print("".join(f"{voice.prefix}{line.decode(errors='replace').rstrip()}\n" for line in lines))


def _prefix(name: str, place: int) -> str:
    if not sys.stdout.isatty():
        return f"{name} | "
    return f"\x1b[{_COLOURS[place % len(_COLOURS)]}m{name} | \x1b[0m"


def _print(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Our reader left; the programs must not block on a full pipe for it.
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 -- for the rest of our life
