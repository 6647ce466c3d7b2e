"""Somebody who writes at a steady rate while the purge is at work: a process of its own, without Django."""

import time
from typing import Any, Final

import psycopg

WRITES_A_SECOND: Final = 300


def write(database_url: str, statement: str, results: Any, stop: Any) -> None:
    """Write until told to stop; then how long each took, counted from the moment when its turn had come."""
    latencies: list[float] = []
    with psycopg.connect(database_url, autocommit=True) as connection:
        results.put("connected")
        begin = time.monotonic()
        while not stop.is_set():
            turn = begin + len(latencies) / WRITES_A_SECOND
            time.sleep(max(turn - time.monotonic(), 0.0))
            connection.execute(statement)
            latencies.append(time.monotonic() - turn)
    results.put(latencies)
