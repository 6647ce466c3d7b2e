"""A receiver that is down with a long queue: what it costs the others, how it is left alone, how it comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from statistics import median
from typing import Final

from django.conf import settings
from django.db import connection

from benchmarks import parcels, rounds, sink
from benchmarks.figures import Figure, Goal
from benchmarks.outbox_isolation import ENDPOINTS, RATE, steady
from benchmarks.servers import Postgres
from benchmarks.sink import Sink
from outbox import entries
from outbox.dispatching import claiming
from projects import ids
from webhooks.models import Webhook
from webhooks.publishing import WEBHOOK

DOWN_SECONDS: Final = 20.0
BASE_SECONDS: Final = 0.5  # of the schedule, so that an hour fits into it

# Entries for one event: a claim reads none of them but the first.
FILL = """
    INSERT INTO outbox_entry (lane_id, ref, priority, next_at, attempts, created_at)
    SELECT lane.id, gen_random_uuid(), 1, now(), 0, now()
    FROM outbox_lane lane, generate_series(1, %s) WHERE lane.owner = %s
"""
REST = "UPDATE outbox_lane SET paused_until = now() + interval '1 hour', trips = 9 WHERE owner = %s"


def figures(_postgres: Postgres, *, full: bool) -> Iterator[Figure]:
    """A deep backlog, then a receiver that fails and comes back."""
    with sink.running() as receiver:
        healthy = parcels.make_webhooks([f"{receiver.url}/ok/{n}" for n in range(ENDPOINTS)])
        (dead,) = parcels.make_webhooks([f"{receiver.url}/e500/0"])
        yield from _beside_a_backlog(receiver, healthy, dead, seconds=30 if full else 10)
        yield from _down_and_back(receiver, dead, count=10_000)


def _beside_a_backlog(
    receiver: Sink, healthy: Sequence[Webhook], dead: Webhook, *, seconds: int
) -> Iterator[Figure]:
    depth = 500_000
    size = f"{depth:_} entries due in one lane".replace("_", " ")
    without: list[float] = []
    beside: list[float] = []
    for _ in range(3):
        without.append(steady(receiver, healthy, seconds=seconds)[0])
        scene = partial(_fill, dead, depth)
        beside.append(steady(receiver, healthy, seconds=seconds, beforehand=scene)[0])
    yield Figure("a look at the outbox", size, _look_seconds() * 1000, Goal("≤", 10, "ms"))
    ratio = median(one / other for one, other in zip(beside, without, strict=True))
    yield Figure("p99 of the others to that without", f"{size}, {RATE} events/s", ratio, Goal("≤", 1.2))


def _fill(dead: Webhook, depth: int) -> None:
    owner = ids.to_uuid(dead.id)
    entries.open_lane(WEBHOOK, owner)
    with connection.cursor() as cursor:
        cursor.execute(FILL, [depth, owner])
        cursor.execute(REST, [owner])
    parcels.settle()


def _look_seconds() -> float:
    look = partial(claiming.claim, kinds=[WEBHOOK], limit=0, lease=timedelta(seconds=30))
    return median(rounds.seconds(look) for _ in range(50))


def _down_and_back(receiver: Sink, dead: Webhook, *, count: int) -> Iterator[Figure]:
    """What comes while it fails, then how quickly it has everything."""
    settings.WEBHOOK_RETRY_BASE = BASE_SECONDS
    settings.WEBHOOK_RETRY_CAP = 4 * BASE_SECONDS
    parcels.empty()
    receiver.forget()
    parcels.publish([dead], count)
    parcels.settle()
    with parcels.dispatching():
        time.sleep(DOWN_SECONDS)
        asked = receiver.count()
        receiver.heal()
        seconds = rounds.seconds(partial(parcels.wait_until_empty, seconds=120.0))
    size = f"{count:_} events, down for {DOWN_SECONDS:.0f} s".replace("_", " ")
    # Five failures open the breaker; then a probe after each pause: 0.5, 1, 2, 2 … s.
    allowed = 5 + 2 + DOWN_SECONDS / (4 * BASE_SECONDS) + 1
    yield Figure("down: requests to those that pauses allow", size, asked / allowed, Goal("≤", 1))
    parcels.empty()
    receiver.forget()
    parcels.publish([dead], count)
    parcels.settle()
    with parcels.dispatching():
        ideal = rounds.seconds(partial(parcels.wait_until_empty, seconds=120.0))
    longest_pause = 4 * BASE_SECONDS
    ratio = (seconds - longest_pause) / ideal
    yield Figure("back: time to drain to that of a healthy receiver", size, ratio, Goal("≤", 2))
