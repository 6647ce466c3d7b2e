"""Those who write at a steady rate while the purge is at work: a process of its own, without Django."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from threading import Barrier
from typing import Any, Final

import psycopg

WRITES_A_SECOND: Final = 300  # of all writers together


def write(database_url: str, statements: Sequence[str], results: Any, stop: Any) -> None:
    """A writer for each statement repeats it until told to stop; then how long each took, from its turn on.

    They take turns. One that waits for the disk keeps no other waiting, and what some wait for together is waited
    for once: so it is on a server, and a single writer would mostly measure its own queue.
    """
    ready = Barrier(len(statements) + 1)

    def repeat(statement: str, offset: float) -> list[float]:
        latencies: list[float] = []
        with psycopg.connect(database_url, autocommit=True) as connection:
            ready.wait()
            begin = time.monotonic() + offset
            while not stop.is_set():
                turn = begin + len(latencies) * len(statements) / WRITES_A_SECOND
                time.sleep(max(turn - time.monotonic(), 0.0))
                connection.execute(statement)
                latencies.append(time.monotonic() - turn)
        return latencies

    with ThreadPoolExecutor(len(statements)) as writers:
        offsets = [number / WRITES_A_SECOND for number in range(len(statements))]
        written = writers.map(repeat, statements, offsets)
        ready.wait()
        results.put("connected")
        results.put(list(chain.from_iterable(written)))
