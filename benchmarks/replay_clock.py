"""`python -m benchmarks.replay_clock` does what beat asks for while replays run, until it is killed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import django

TICK_SECONDS: Final = 1.0  # oftener than beat's


@contextmanager
def ticking() -> Iterator[None]:
    """Another process, as in production, for the time of the block."""
    clock = subprocess.Popen([sys.executable, "-m", "benchmarks.replay_clock"])
    try:
        yield
    finally:
        clock.kill()
        clock.wait()


def main() -> None:
    """Tick."""
    django.setup()
    # Models may not be imported before.
    from projects import clock  # noqa: PLC0415 -- Django is set up only now
    from webhooks.repeating import replaying  # noqa: PLC0415 -- as above

    while True:
        time.sleep(TICK_SECONDS)
        replaying.advance(now=clock.now())


if __name__ == "__main__":
    main()
