"""How long processes live: none outlives its parent, and one folder has one user at a time."""

import contextlib
import ctypes
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_SET_PARENT_DEATH_SIGNAL = 1  # linux/prctl.h
_libc = ctypes.CDLL(None)


class Busy(Exception):
    """Another process holds the lock, and did not let go in time."""


def dying_with_parent(death: signal.Signals) -> Callable[[], None]:
    """For `Popen(preexec_fn=…)`: the child gets this signal when we die, `kill -9` included.

    The kernel watches the thread that starts the child: start children from the main one. Elsewhere than
    on Linux nothing watches; what is left behind is stopped at the next start.
    """
    parent = os.getpid()

    def watch_parent() -> None:
        die_with_parent(death)
        if os.getppid() != parent:
            os._exit(1)

    return watch_parent


def die_with_parent(death: signal.Signals) -> None:
    """Have the kernel send us this signal when the parent's thread ends."""
    if sys.platform == "linux":
        _libc.prctl(_SET_PARENT_DEATH_SIGNAL, death)


@contextlib.contextmanager
def exclusive(path: Path, *, patience: float) -> Iterator[None]:
    """Hold this file's lock alone, waiting `patience` seconds for it; the dead hold nothing. Raises Busy."""
    with path.open("a") as file:
        _lock(file.fileno(), fcntl.LOCK_EX, patience=patience)
        yield


@contextlib.contextmanager
def shared(path: Path, *, patience: float) -> Iterator[None]:
    """Hold this file's lock beside others who share it. Raises Busy while one holds it alone."""
    with path.open("a") as file:
        _lock(file.fileno(), fcntl.LOCK_SH, patience=patience)
        yield


def _lock(descriptor: int, kind: int, *, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Busy from None
        time.sleep(0.1)
