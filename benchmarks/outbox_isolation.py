"""Whom a receiver that hangs holds up, how soon an idle dispatcher wakes, and what it costs meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from statistics import quantiles
from typing import Final

from django.conf import settings
from django.db import connection

from benchmarks import parcels, rounds, sink
from benchmarks.figures import Figure, Goal
from benchmarks.servers import Postgres
from benchmarks.sink import Sink
from webhooks.models import Webhook

RATE: Final = 200  # events a second
ENDPOINTS: Final = 100
HANGS_SECONDS: Final = 5.0  # until we stop waiting for a receiver that hangs
IDLE_SECONDS: Final = 10.0


def figures(_postgres: Postgres, *, full: bool) -> Iterator[Figure]:
    """Steady load with and without hanging receivers, then none at all."""
    settings.WEBHOOK_TIMEOUT = HANGS_SECONDS
    with sink.running() as receiver:
        healthy = parcels.make_webhooks([f"{receiver.url}/ok/{n}" for n in range(ENDPOINTS)])
        hanging = parcels.make_webhooks([f"{receiver.url}/hang/{n}" for n in range(ENDPOINTS // 2)])
        yield from _beside_hanging_ones(receiver, healthy, hanging, seconds=60 if full else 15)
        yield from _at_rest(receiver, healthy)


def _nothing() -> None:
    """For a load that needs no scene."""


def _beside_hanging_ones(
    receiver: Sink, healthy: Sequence[Webhook], hanging: Sequence[Webhook], *, seconds: int
) -> Iterator[Figure]:
    mixed = [one for pair in zip(healthy[: ENDPOINTS // 2], hanging, strict=True) for one in pair]
    size = f"{RATE} events/s, {ENDPOINTS} endpoints, {seconds} s"
    quiet, _ = steady(receiver, healthy, seconds=seconds)
    loud, delivered = steady(receiver, mixed, seconds=seconds)
    yield Figure("p99 from event to receipt", size, quiet * 1000, Goal("≤", 127, "ms"))
    yield Figure("half of them hang: p99 of the others", size, loud * 1000, Goal("≤", 500, "ms"))
    yield Figure("half of them hang: p99 to that without", size, loud / quiet, Goal("≤", 2))
    yield Figure("half of them hang: the others' share delivered", size, delivered * 100, Goal("≥", 100, "%"))


def steady(
    receiver: Sink, webhooks: Sequence[Webhook], *, seconds: float, beforehand: Callable[[], None] = _nothing
) -> tuple[float, float]:
    """The p99 of seconds until an event's receipt, and the share that came, of receivers that answer."""
    parcels.empty()
    beforehand()
    receiver.forget()
    with parcels.dispatching():
        time.sleep(0.5)
        published = publish_steadily(webhooks, seconds=seconds)
        time.sleep(1.0)
    arrived = {one.mark: one.at for one in receiver.arrivals() if one.path.startswith("/ok")}
    expected = {mark: at for mark, (target, at) in published.items() if "/ok" in target}
    waits = [arrived[mark] - at for mark, at in expected.items() if mark in arrived]
    return quantiles(waits, n=100)[98], len(waits) / len(expected)


def publish_steadily(webhooks: Sequence[Webhook], *, seconds: float) -> dict[str, tuple[str, float]]:
    """Events at the rate, each committed by itself; by mark its target and when it was published."""
    published: dict[str, tuple[str, float]] = {}
    began_at = time.monotonic()
    for number in range(int(RATE * seconds)):
        time.sleep(max(0.0, began_at + number / RATE - time.monotonic()))
        webhook = webhooks[number % len(webhooks)]
        published_at = time.monotonic()
        (mark,) = parcels.publish([webhook], 1)
        published[mark] = webhook.target, published_at
    return published


def _at_rest(receiver: Sink, webhooks: Sequence[Webhook]) -> Iterator[Figure]:
    parcels.empty()
    with parcels.dispatching():
        time.sleep(2.0)
        statements, busy = _statements(), rounds.own_cpu_seconds()
        time.sleep(IDLE_SECONDS)
        busy, statements = rounds.own_cpu_seconds() - busy, _statements() - statements
        size = f"{IDLE_SECONDS:.0f} s without an entry"
        yield Figure("idle: statements", size, statements / IDLE_SECONDS, Goal("≤", 5, "/s"))
        yield Figure("idle: CPU of a core", size, busy / IDLE_SECONDS * 100, Goal("≤", 1, "%"))
        woken = _slowest_wake(receiver, webhooks)
        yield Figure(
            "woken by the bell: slowest", "100 events, one by one", woken * 1000, Goal("≤", 50, "ms")
        )
    url, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:1/0"
    with parcels.dispatching():
        time.sleep(1.0)
        deaf = _slowest_wake(receiver, webhooks, times=8, pause=0.3)
        yield Figure("woken without Redis: slowest", "8 events, one by one", deaf, Goal("≤", 1.2, "s"))
    settings.REDIS_URL = url


def _slowest_wake(
    receiver: Sink, webhooks: Sequence[Webhook], *, times: int = 100, pause: float = 0.05
) -> float:
    """The p99 of seconds from a commit to its receipt, where nothing else is going on."""
    waits = []
    for number in range(times):
        receiver.forget()
        published_at = time.monotonic()
        parcels.publish([webhooks[number % len(webhooks)]], 1)
        receiver.wait_for(1, seconds=10.0)
        waits.append(receiver.arrivals()[0].at - published_at)
        time.sleep(pause)
    return sorted(waits)[-1 - times // 100]


def _statements() -> int:
    """How many transactions the database has seen; a dispatcher at rest makes one of each statement."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
