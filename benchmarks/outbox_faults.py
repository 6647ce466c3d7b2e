"""What is lost and what is repeated when dispatchers are killed, stopped or stalled, and servers go away."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import psutil
from django.conf import settings
from django.db import OperationalError, connection
from redis import Redis

from benchmarks import parcels, sink, worker
from benchmarks.figures import Figure, Goal
from benchmarks.servers import Postgres
from benchmarks.sink import Sink
from outbox.models import Lane
from webhooks.models import Attempt, Webhook

ENDPOINTS: Final = 50
LEASE_SECONDS: Final = 3.0
PATIENCE: Final = 120.0  # seconds
GRACE: Final = parcels.LOOPBACK.grace + 2.0
REPEATED_AT_MOST: Final = parcels.LOOPBACK.in_flight + parcels.LOOPBACK.unflushed  # by one kill -9


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of what was published."""

    lost: int
    repeated: int


def figures(postgres: Postgres, *, full: bool) -> Iterator[Figure]:
    """One fault after the other, each under load."""
    with sink.running() as receiver:
        webhooks = parcels.make_webhooks([f"{receiver.url}/slow/{n}" for n in range(ENDPOINTS)])
        yield from _killed(receiver, webhooks, kills=100 if full else 6)
        yield from _stopped(receiver, webhooks, times=20 if full else 5)
        yield from _stalled(receiver, webhooks)
        yield from _without_servers(receiver, webhooks, postgres, seconds=60 if full else 20)


def _killed(receiver: Sink, webhooks: Sequence[Webhook], *, kills: int) -> Iterator[Figure]:
    published = _begin(receiver, webhooks, count=kills * 1000)
    with worker.running(2, lease_seconds=LEASE_SECONDS) as workers:
        for _ in range(kills):
            seen = receiver.count()
            _wait_for_more(receiver, seen + random.randint(50, 500))
            victim = workers.pop(random.randrange(2))
            victim.kill()
            victim.wait()
            workers.append(worker.start(lease_seconds=LEASE_SECONDS))
        parcels.wait_until_empty(seconds=PATIENCE)
    tally = _tally(receiver, published)
    size = f"{kills} × kill -9, two dispatchers, {len(published)} events"
    yield Figure("killed: lost", size, tally.lost, Goal("≤", 0))
    yield Figure("killed: repeated for each", size, tally.repeated / kills, Goal("≤", REPEATED_AT_MOST))


def _stopped(receiver: Sink, webhooks: Sequence[Webhook], *, times: int) -> Iterator[Figure]:
    published = _begin(receiver, webhooks, count=times * 2000 + 1000)
    slowest = 0.0
    for _ in range(times):
        seen = receiver.count()
        with worker.running(1) as (one,):
            _wait_for_more(receiver, seen + 300)
            stopped_at = time.monotonic()
            one.send_signal(signal.SIGTERM)
            one.wait()
            slowest = max(slowest, time.monotonic() - stopped_at)
    held = Lane.objects.exclude(lease_until=None).count()
    with worker.running(1):
        parcels.wait_until_empty(seconds=PATIENCE)
    tally = _tally(receiver, published)
    size = f"{times} × SIGTERM under load"
    yield Figure(
        "stopped: lost or repeated, lanes still held", size, tally.lost + tally.repeated + held, Goal("≤", 0)
    )
    yield Figure("stopped: slowest exit", size, slowest, Goal("≤", GRACE, "s"))


def _stalled(receiver: Sink, webhooks: Sequence[Webhook]) -> Iterator[Figure]:
    """One of two dispatchers freezes beyond its lease and wakes when the other has its lanes."""
    published = _begin(receiver, webhooks, count=4000)
    with worker.running(1, lease_seconds=LEASE_SECONDS) as workers:
        _wait_for_more(receiver, 500)
        workers[0].send_signal(signal.SIGSTOP)
        workers.append(worker.start(lease_seconds=LEASE_SECONDS))
        time.sleep(2 * LEASE_SECONDS)
        workers[0].send_signal(signal.SIGCONT)
        parcels.wait_until_empty(seconds=PATIENCE)
        time.sleep(1.0)
    tally = _tally(receiver, published)
    twice = Attempt.objects.count() - len(published)
    size = f"SIGSTOP for {2 * LEASE_SECONDS:.0f} s, a lease of {LEASE_SECONDS:.0f} s"
    yield Figure("stalled: lost", size, tally.lost, Goal("≤", 0))
    yield Figure("stalled: repeated", size, tally.repeated, Goal("≤", REPEATED_AT_MOST))
    yield Figure("stalled: recorded twice", size, twice, Goal("≤", 0))


def _without_servers(
    receiver: Sink, webhooks: Sequence[Webhook], postgres: Postgres, *, seconds: float
) -> Iterator[Figure]:
    """Redis forgets everything again and again, and PostgreSQL crashes twice."""
    published = _begin(receiver, webhooks, count=0)
    with _forgetful_redis(), worker.running(2, lease_seconds=LEASE_SECONDS):
        for _ in range(2):
            seen = receiver.count()
            published |= set(parcels.publish(webhooks, 3000))
            _wait_for_more(receiver, seen + 200)
            _crash(postgres)
            published |= _publish_in_spite_of(webhooks, count=3000)
            time.sleep(seconds / 4)
        parcels.wait_until_empty(seconds=PATIENCE)
    tally = _tally(receiver, published)
    size = f"FLUSHALL every 5 s, two crashes of PostgreSQL, {len(published)} events"
    yield Figure("without servers: lost", size, tally.lost, Goal("≤", 0))
    yield Figure("without servers: repeated", size, tally.repeated, Goal("≤", 4 * REPEATED_AT_MOST))


def _begin(receiver: Sink, webhooks: Sequence[Webhook], *, count: int) -> set[str]:
    parcels.empty()
    receiver.forget()
    return set(parcels.publish(webhooks, count))


def _wait_for_more(receiver: Sink, count: int) -> None:
    receiver.wait_for(count, seconds=PATIENCE)


def _tally(receiver: Sink, published: set[str]) -> Tally:
    arrivals = receiver.arrivals()
    return Tally(lost=len(published - {one.mark for one in arrivals}), repeated=sink.duplicates(arrivals))


@contextmanager
def _forgetful_redis() -> Iterator[None]:
    over = threading.Event()
    forgetting = threading.Thread(target=_forget_all, args=(over,))
    forgetting.start()
    try:
        yield
    finally:
        over.set()
        forgetting.join()


def _forget_all(over: threading.Event) -> None:
    with Redis.from_url(settings.REDIS_URL) as redis:
        while not over.wait(5.0):
            redis.flushall()


def _crash(postgres: Postgres) -> None:
    """Kill a process without which the server cannot go on: it throws everybody out and recovers by its log."""
    (checkpointer,) = [
        one for one in postgres.process.children() if "checkpointer" in " ".join(one.cmdline())
    ]
    checkpointer.send_signal(signal.SIGKILL)
    psutil.wait_procs([checkpointer], timeout=10)


def _publish_in_spite_of(webhooks: Sequence[Webhook], *, count: int) -> set[str]:
    """As soon as the database takes it."""
    end = time.monotonic() + PATIENCE
    while True:
        connection.close()
        try:
            return set(parcels.publish(webhooks, count))
        except OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
