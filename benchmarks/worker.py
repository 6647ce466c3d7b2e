"""A dispatcher in a process of its own: `python -m benchmarks.worker LEASE_SECONDS`, until SIGTERM."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import django

from benchmarks.sink import HERE

Worker = subprocess.Popen[bytes]


def start(*, lease_seconds: float = 30.0) -> Worker:
    """One more; it needs a second or two until it dispatches."""
    return subprocess.Popen([sys.executable, "-m", "benchmarks.worker", str(lease_seconds)])


@contextmanager
def running(count: int, *, lease_seconds: float = 30.0) -> Iterator[list[Worker]]:
    """So many for the time of the block, in a list that may be changed meanwhile."""
    workers = [start(lease_seconds=lease_seconds) for _ in range(count)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def main(lease_seconds: float) -> None:
    """Dispatch until told to stop."""
    os.sched_setaffinity(0, {HERE})
    django.setup()
    logging.getLogger("outbox").setLevel(logging.ERROR)  # what is broken on purpose is in the figures
    # Models may not be imported before.
    from benchmarks import parcels  # noqa: PLC0415 -- Django is set up only now
    from outbox.dispatching.bootstep import DispatcherThread  # noqa: PLC0415 -- as above
    from outbox.dispatching.limits import Limits  # noqa: PLC0415 -- as above

    limits = Limits(
        in_flight=parcels.LOOPBACK.in_flight,
        lease=timedelta(seconds=lease_seconds),
        heartbeat=lease_seconds / 6,
    )
    dispatcher = DispatcherThread(limits=limits)

    def stop(*_: Any) -> None:
        dispatcher.ask_to_stop()

    signal.signal(signal.SIGTERM, stop)
    dispatcher.start()
    dispatcher.join()


if __name__ == "__main__":
    main(float(sys.argv[1]))
