"""Replaying many events: how soon it starts, and whether what is live notices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from statistics import median
from typing import Final

from django.db import connection

from benchmarks import parcels, replay_clock, sink
from benchmarks.figures import Figure, Goal
from benchmarks.outbox_isolation import RATE, steady
from benchmarks.rounds import interleaved, seconds
from benchmarks.servers import Postgres
from projects import clock
from webhooks.models import FASTEST, Event, Webhook
from webhooks.repeating import replaying
from webhooks.repeating.replaying import Span
from webhooks.triggers import Trigger

ENDPOINTS: Final = 20


def figures(postgres: Postgres, *, full: bool) -> Iterator[Figure]:  # noqa: ARG001 -- a benchmark's shape
    """Steady load on all webhooks, in every other round beside a replay to one of them."""
    events, lasting = (100_000, 30) if full else (20_000, 15)
    starts: list[float] = []
    with sink.running() as receiver:
        webhooks = parcels.make_webhooks([f"{receiver.url}/ok/{n}" for n in range(ENDPOINTS)])

        def begin() -> None:
            _make_events(webhooks[0], events)
            starts.append(seconds(lambda: _begin(webhooks[0])))

        def alone() -> float:
            return steady(receiver, webhooks, seconds=lasting)[0]

        def beside_a_replay() -> float:
            with replay_clock.ticking():
                return steady(receiver, webhooks, seconds=lasting, beforehand=begin)[0]

        rounds = interleaved({"alone": alone, "beside": beside_a_replay})
    size = f"{events:,} events, {RATE} live/s, {FASTEST} replayed/s".replace(",", " ")
    yield Figure("a replay starts within", size, median(starts), Goal("≤", 1.0, "s"))
    yield Figure(
        "live p99 beside a replay to that without", size, rounds.ratio("beside", to="alone"), Goal("≤", 1.2)
    )


def _make_events(webhook: Webhook, count: int) -> None:
    moment = clock.now() - timedelta(hours=1)
    Event.objects.bulk_create(
        (
            Event(
                app_id=webhook.app_id, trigger=Trigger.MESSAGE_INBOUND, body=b"{}", accept_time=moment,
                created_at=moment + number * timedelta(milliseconds=1),
            )
            for number in range(count)
        ),
        batch_size=2000,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE webhooks_event")


def _begin(webhook: Webhook) -> None:
    """Counted and begun, as by the API."""
    now = clock.now()
    for running in webhook.replays.running():
        replaying.cancel(running, now=now)
    span = Span(start=now - timedelta(hours=2), end=now)
    replaying.start(webhook, span, per_second=FASTEST, asked_by="a benchmark", now=now)
