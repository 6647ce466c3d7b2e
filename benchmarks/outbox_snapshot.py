"""What a transaction that stays open does to the queue: nothing that leaves it can be cleaned away meanwhile."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Final

import psycopg
from django.db import connection

from benchmarks import parcels, rounds, sink, worker
from benchmarks.figures import Figure, Goal
from benchmarks.servers import Postgres
from benchmarks.sink import Sink
from outbox import reporting, shrinking
from webhooks.models import Webhook

RATE: Final = 500  # events a second
TICK_SECONDS: Final = 0.1
BACKLOG: Final = 5000  # what is sent as fast as it goes, to see how fast that is
PATIENCE: Final = 120.0  # seconds
HEARTBEAT_SECONDS: Final = 5.5  # of the dispatcher's reports, and a little


def figures(postgres: Postgres, *, full: bool) -> Iterator[Figure]:  # noqa: ARG001 -- a benchmark's shape
    """Before, while a reader keeps its snapshot, and after it has gone."""
    held = 300 if full else 60
    with sink.running() as receiver, worker.running(1):
        webhooks = parcels.make_webhooks([f"{receiver.url}/ok/{n}" for n in range(100)])
        _load(receiver, webhooks, seconds=5)
        before, size_before = _rates(receiver, webhooks), _size()
        with _snapshot():
            looks = _looks()
            _load(receiver, webhooks, seconds=held)
            looks = _looks() - looks
            meanwhile, size_meanwhile = _rates(receiver, webhooks), _size()
        _load(receiver, webhooks, seconds=5)
        parcels.wait_until_empty(seconds=PATIENCE)
        shrinking.shrink()  # as the clock asks for
        after = _size()
    print(f"  events/s: {_listed(before)} before, {_listed(meanwhile)} meanwhile", flush=True)
    print(f"  queue and its indexes: {size_before} B, {size_meanwhile} B, {after} B", flush=True)
    print(f"  looks: {looks.total()}, by the seconds they took at most: {dict(looks)}", flush=True)
    size = f"a snapshot held for {held} s at {RATE} events/s"
    loss = 1 - median(meanwhile) / median(before)
    yield Figure("snapshot: throughput lost", size, loss * 100, Goal("≤", 20, "%"))
    yield Figure("snapshot: p99 of looks, at most", size, _p99(looks) * 1000, Goal("≤", 25, "ms"))
    yield Figure("snapshot: size of the queue afterwards", size, after / size_before, Goal("≤", 2))


@contextmanager
def _snapshot() -> Iterator[None]:
    """A reader that has looked once and idles in its transaction."""
    with psycopg.connect(**connection.get_connection_params()) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT FROM outbox_lane LIMIT 1")
        yield


def _load(receiver: Sink, webhooks: Sequence[Webhook], *, seconds: int) -> None:
    """Events at the rate, until all have come."""
    receiver.forget()
    ticks, began_at = int(seconds / TICK_SECONDS), time.monotonic()
    for tick in range(ticks):
        time.sleep(max(0.0, began_at + tick * TICK_SECONDS - time.monotonic()))
        parcels.publish(webhooks, int(RATE * TICK_SECONDS))
    receiver.wait_for(ticks * int(RATE * TICK_SECONDS), seconds=PATIENCE)


def _rates(receiver: Sink, webhooks: Sequence[Webhook]) -> list[float]:
    """Events a second, each time of a backlog."""
    rates = []
    for _ in range(rounds.ROUNDS):
        receiver.forget()
        parcels.publish(webhooks, BACKLOG)
        # Counted where they come: whoever asks the table whether it is empty reads all that has left it.
        rates.append(BACKLOG / rounds.seconds(partial(receiver.wait_for, BACKLOG, seconds=PATIENCE)))
        parcels.wait_until_empty(seconds=PATIENCE)
    return rates


def _looks() -> Counter[float]:
    """How many looks the dispatcher has made, by how long they took at most, as it reported them last."""
    time.sleep(HEARTBEAT_SECONDS)
    (buckets,) = (
        [
            (float(sample.labels["le"]), int(sample.value))
            for sample in metric.samples
            if "le" in sample.labels
        ]
        for metric in reporting.Report().collect()
        if metric.name == "outbox_claim_seconds"
    )
    fewer = [0, *(count for _, count in buckets)]
    return Counter({most: count - less for (most, count), less in zip(buckets, fewer, strict=False)})


def _p99(looks: Counter[float]) -> float:
    """The least of the limits under which 99 in a hundred stay."""
    counts = [(most, sum(count for other, count in looks.items() if other <= most)) for most in sorted(looks)]
    return next(most for most, count in counts if count >= 0.99 * looks.total())


def _listed(rates: Sequence[float]) -> str:
    return ", ".join(f"{rate:.0f}" for rate in rates)


def _size() -> int:
    """Bytes of the queue with its indexes, once it is cleaned as far as that is possible."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM outbox_entry")
        cursor.execute("SELECT pg_total_relation_size('outbox_entry')")
        return int(cursor.fetchone()[0])
