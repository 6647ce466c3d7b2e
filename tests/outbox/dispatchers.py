"""Dispatchers for the time of a test."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from outbox.dispatching.bootstep import DispatcherThread
from outbox.dispatching.limits import Limits


@contextmanager
def dispatching(limits: Limits | None = None) -> Iterator[DispatcherThread]:
    """A dispatcher at work in its own thread, as a worker hosts it."""
    dispatcher = DispatcherThread(limits=limits)
    dispatcher.start()
    try:
        yield dispatcher
    finally:
        dispatcher.stop()


def eventually(is_so: Callable[[], bool], *, within: float = 10.0) -> bool:
    """Whether it becomes so in time."""
    end = time.monotonic() + within
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True
