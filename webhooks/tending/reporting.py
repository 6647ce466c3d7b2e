"""Reporting: what the tables tell of webhooks, for who answers `/metrics`. It names no tenant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.db import connection
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from projects import clock
from webhooks.ageing import partitioning
from webhooks.models import Replay, Webhook

COUNTED_AT_MOST: Final = 100_000
LOOKED_AT: Final = 1_000  # deliveries, the latest
QUANTILES: Final = (0.5, 0.95, 0.99)

DEAD = "SELECT count(*) FROM (SELECT FROM webhooks_deadletter LIMIT %s) dead"
DEAD_TUPLES = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relid = 'outbox_entry'::regclass"

# As the server counts, which costs nobody a query: each day's table for itself, since one that is dropped takes its
# number with it.
EVENTS = """
    SELECT substring(relname from '[^_]+$'), n_tup_ins
    FROM pg_stat_user_tables JOIN pg_inherits ON inhrelid = relid
    WHERE inhparent = 'webhooks_event'::regclass
"""

# An event's id begins with the milliseconds of its making.
LATENCY = """
    SELECT percentile_disc(%(quantiles)s::float[]) WITHIN GROUP (ORDER BY seconds) FROM (
        SELECT (
            extract(epoch FROM started_at) * 1000 + duration_ms
            - ('x' || translate(left(event_id::text, 13), '-', ''))::bit(48)::bigint
        ) / 1000 AS seconds
        FROM webhooks_attempt
        WHERE started_at > statement_timestamp() - interval '1 hour' AND result = 'DELIVERED' AND replay_id IS NULL
        ORDER BY id DESC LIMIT %(most)s
    ) delivered
"""


class Report(Collector):
    """Webhooks, dead letters, replays, and for how long there is room."""

    def collect(self) -> Iterator[Metric]:
        """One look at each table, none of them long."""
        webhooks = GaugeMetricFamily("webhooks", "Webhooks, by whether they are called", labels=["state"])
        living = Webhook.objects.filter(app__deleted_at=None)
        called = Webhook.objects.called().count()
        disabled = living.filter(disabled_at__isnull=False).count()
        for state, count in {
            "called": called,
            "disabled": disabled,
            "dismissing": living.count() - called - disabled,
        }.items():
            webhooks.add_metric([state], count)
        yield webhooks
        yield _events()
        yield _gauge(
            "webhook_dead_letters",
            "Events that were given up, at most 100 000",
            _asked(DEAD, COUNTED_AT_MOST),
        )
        yield _gauge("webhook_replays_running", "Replays that still send", Replay.objects.running().count())
        yield _gauge(
            "webhook_partition_days_ahead",
            "Days after today for which the tables of events and attempts stand ready",
            partitioning.days_ahead(now=clock.now()),
        )
        yield _latency()
        yield _gauge(
            "outbox_dead_tuples", "Dead rows of the queue that vacuum has not taken yet", _asked(DEAD_TUPLES)
        )


def _events() -> CounterMetricFamily:
    events = CounterMetricFamily("webhook_events", "Events that were published, by day", labels=["day"])
    with connection.cursor() as cursor:
        cursor.execute(EVENTS)
        for day, number in cursor.fetchall():
            events.add_metric([day], number)
    return events


def _latency() -> GaugeMetricFamily:
    """Without a figure where the last hour had no delivery."""
    seconds = GaugeMetricFamily(
        "webhook_delivery_seconds",
        "From the event to its receiver's 2xx, retries included, of the latest 1000 deliveries within an hour",
        labels=["quantile"],
    )
    with connection.cursor() as cursor:
        cursor.execute(LATENCY, {"quantiles": list(QUANTILES), "most": LOOKED_AT})
        (found,) = cursor.fetchone()
    for quantile, value in zip(QUANTILES, found or [], strict=False):
        seconds.add_metric([str(quantile)], float(value))
    return seconds


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, value=value)


def _asked(statement: str, *terms: int) -> float:
    with connection.cursor() as cursor:
        cursor.execute(statement, terms)
        row = cursor.fetchone()
        return float(row[0]) if row else 0.0
