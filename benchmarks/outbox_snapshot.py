"""What a transaction that stays open does to the queue: nothing that leaves it can be cleaned away meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from statistics import median, quantiles
from typing import Final

import psycopg
from django.db import connection

from benchmarks import parcels, rounds, sink, worker
from benchmarks.figures import Figure, Goal
from benchmarks.servers import Postgres
from outbox.dispatching import claiming
from webhooks.models import Webhook
from webhooks.publishing import WEBHOOK

RATE: Final = 500  # events a second
TICK_SECONDS: Final = 0.1
BACKLOG: Final = 5000  # what is sent as fast as it goes, to see how fast that is
PATIENCE: Final = 120.0  # seconds


def figures(postgres: Postgres, *, full: bool) -> Iterator[Figure]:  # noqa: ARG001 -- a benchmark's shape
    """Before, while a reader keeps its snapshot, and after it has gone."""
    held = 300 if full else 60
    with sink.running() as receiver, worker.running(1):
        webhooks = parcels.make_webhooks([f"{receiver.url}/ok/{n}" for n in range(100)])
        _load(webhooks, seconds=5)
        before, size_before = _rates(webhooks), _size()
        with _snapshot():
            looks = _load(webhooks, seconds=held)
            meanwhile, size_meanwhile = _rates(webhooks), _size()
        _load(webhooks, seconds=5)
        after = _size()
    print(f"  queue and its index: {size_before} B, {size_meanwhile} B, {after} B", flush=True)
    size = f"a snapshot held for {held} s at {RATE} events/s"
    loss = 1 - median(meanwhile) / median(before)
    yield Figure("snapshot: throughput lost", size, loss * 100, Goal("≤", 20, "%"))
    yield Figure(
        "snapshot: p99 of looks at the outbox", size, quantiles(looks, n=100)[98] * 1000, Goal("≤", 25, "ms")
    )
    yield Figure("snapshot: size of the queue afterwards", size, after / size_before, Goal("≤", 2))


@contextmanager
def _snapshot() -> Iterator[None]:
    """A reader that has looked once and idles in its transaction."""
    with psycopg.connect(**connection.get_connection_params()) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT FROM outbox_lane LIMIT 1")
        yield


def _load(webhooks: Sequence[Webhook], *, seconds: int) -> list[float]:
    """Events at the rate, until all are delivered; gives how long looks at the outbox took meanwhile."""
    look = partial(claiming.claim, kinds=[WEBHOOK], limit=0, lease=timedelta(seconds=30))
    looks, began_at = [], time.monotonic()
    for tick in range(int(seconds / TICK_SECONDS)):
        time.sleep(max(0.0, began_at + tick * TICK_SECONDS - time.monotonic()))
        parcels.publish(webhooks, int(RATE * TICK_SECONDS))
        looks.append(rounds.seconds(look))
    parcels.wait_until_empty(seconds=PATIENCE)
    return looks


def _rates(webhooks: Sequence[Webhook]) -> list[float]:
    """Events a second, each time of a backlog."""
    rates = []
    for _ in range(rounds.ROUNDS):
        parcels.publish(webhooks, BACKLOG)
        rates.append(BACKLOG / rounds.seconds(partial(parcels.wait_until_empty, seconds=PATIENCE)))
    return rates


def _size() -> int:
    """Bytes of the queue with its indexes, once it is cleaned as far as that is possible."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM outbox_entry")
        cursor.execute("SELECT pg_total_relation_size('outbox_entry')")
        return int(cursor.fetchone()[0])
