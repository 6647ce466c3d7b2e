"""The purge by day, and what those notice of it who write at the same time."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from statistics import geometric_mean, quantiles
from typing import Final

from django.db import connection

from benchmarks import rounds
from benchmarks.figures import Figure, Goal
from benchmarks.retention_world import World
from benchmarks.retention_writer import WRITES_A_SECOND, write
from benchmarks.rounds import Rounds
from projects.models import App
from retention import purging
from retention.deleting import batches, windows
from retention.deleting.batches import Course

ROWS: Final = 150_000  # that go in a round: it takes about as long as the writers write by themselves
SECONDS: Final = 5.5
WRITERS: Final = 4


@dataclass(frozen=True, slots=True)
class Run:
    """What a purge beside the writers did."""

    batches: list[float]  # seconds that each took
    deleted: int
    seconds: float

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.deleted / self.seconds


def figures(world: World, scale: int, now: datetime) -> Iterator[Figure]:
    """G4 and G5 of the retention goals, by rounds of the same writing: beside the purge, and alone."""
    statements, runs = world.insert_statements(WRITERS), list[Run]()
    # The round that warms up is a short one.
    sizes = [ROWS // 8, *[ROWS * scale] * rounds.ROUNDS]
    apps = iter([world.apps(1, rows=rows)[0] for rows in sizes])
    world.settle()

    def beside() -> float:
        app = next(apps)
        world.let_expire([app], now=now)
        with _writing(statements) as latencies:
            runs.append(_by_day(app, now))
        return _p99(latencies)

    def alone() -> float:
        with _writing(statements) as latencies:
            time.sleep(SECONDS * scale)
        return _p99(latencies)

    done = rounds.interleaved({"beside": beside, "alone": alone})
    yield from _judged(done, runs[1:])


def _judged(done: Rounds, runs: Sequence[Run]) -> Iterator[Figure]:
    seconds = list(chain.from_iterable(run.batches for run in runs))
    rate, writes = (
        geometric_mean(run.rate for run in runs),
        sum(run.seconds for run in runs) * WRITES_A_SECOND,
    )
    pace = f"{rate:,.0f} rows a second deleted, {writes:,.0f} messages written beside".replace(",", " ")
    yield Figure(
        "p99 of writing beside the purge ÷ alone",
        pace,
        done.mean_ratio("beside", to="alone"),
        Goal("≤", 1.25),
    )
    yield Figure(
        "rows a second the purge deletes then", pace, min(run.rate for run in runs), Goal("≥", 20_000)
    )
    size = f"{len(seconds)} batches of about {windows.TARGET}"
    yield Figure("longest purge transaction", size, max(seconds) * 1000, Goal("≤", 250, "ms"))
    yield Figure("p99 of purge transactions", size, _p99(seconds) * 1000, Goal("≤", 50, "ms"))


def _by_day(app: App, now: datetime) -> Run:
    """As a run goes about it where the oldest row has not been due for long."""
    taken, deleted, course = list[float](), 0, Course(part=0, at=now)
    begun = time.monotonic()
    while True:
        started = time.monotonic()
        batch = batches.purge(app.pk, course)
        taken.append(time.monotonic() - started)
        course, deleted = replace(batch.course, target=windows.TARGET), deleted + batch.count.messages
        if batch.is_last:
            return Run(taken, deleted, time.monotonic() - begun)
        time.sleep(taken[-1] * (1 / purging.DUTY - 1))


@contextlib.contextmanager
def _writing(statements: Sequence[str]) -> Iterator[list[float]]:
    """Some write messages at a steady rate, in a process of their own; how long each took, at the end.

    Each time begins with a checkpoint behind it: the first to touch a page afterwards writes all of it to the log.
    """
    context = multiprocessing.get_context("spawn")
    results, stop = context.SimpleQueue(), context.Event()
    arguments = (os.environ["DATABASE_URL"], statements, results, stop)
    writers = context.Process(target=write, args=arguments)
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    writers.start()
    results.get()  # they are connected
    latencies: list[float] = []
    try:
        yield latencies
    finally:
        stop.set()
        latencies += results.get()
        writers.join()


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100)[98]
