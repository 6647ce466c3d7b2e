"""Reporting: whether what is due is deleted, and proved, for who answers `/metrics`.

No figure is counted here that takes long: those come from the last survey.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from projects import clock
from retention import measuring, purging
from retention.models import LedgerCheck, LegalHold, OwedItem, PrivacyRequest
from retention.tending import surveying, tallying, vacuuming

SOON: Final = timedelta(days=7)


class Report(Collector):
    """All of retention. It names no tenant, unless a setting allows the apps."""

    def collect(self) -> Iterator[Metric]:
        """The same few statements, however many apps there are."""
        now = clock.now()
        yield from _of_lags(now)
        yield from _of_surveys(now)
        yield from _of_batches()
        yield from _of_people(now)
        yield from _of_the_ledger(now)
        yield _of_tables()


def _of_lags(now: datetime) -> Iterator[Metric]:
    lags = measuring.lags_at_a_glance(at=now)
    longest = max(lags.values(), default=timedelta(0))
    yield _gauge(
        "retention_lag_seconds",
        "How long the oldest message that is due has been so, in the app that is latest",
        longest.total_seconds(),
    )
    if settings.METRICS_NAME_APPS:
        by_app = GaugeMetricFamily(
            "retention_app_lag_seconds", "The same of each app that has anything due", labels=["app"]
        )
        for app_id, lag in sorted(lags.items()):
            by_app.add_metric([app_id], lag.total_seconds())
        yield by_app


def _of_surveys(now: datetime) -> Iterator[Metric]:
    surveyed = surveying.surveyed()
    yield _gauge("retention_due_rows", "Rows that are due and not yet deleted", surveyed.due)
    yield _gauge("retention_held_rows", "Rows that would be due, did no legal hold keep them", surveyed.held)
    yield _gauge("retention_due_tomorrow_rows", "Rows that become due within a day", surveyed.due_tomorrow)
    if surveyed.oldest_count:
        age = (now - surveyed.oldest_count).total_seconds()
        yield _gauge(
            "retention_survey_age_seconds", "Since the app was counted that waits longest for it", age
        )
    pace = measuring.pace()
    if pace and surveyed.due_tomorrow:
        headroom = pace * purging.SECONDS_A_DAY / surveyed.due_tomorrow
        yield _gauge(
            "retention_headroom", "How many times what becomes due in a day could be deleted", headroom
        )


def _of_batches() -> Iterator[Metric]:
    tallied = tallying.tallied()
    batches = HistogramMetricFamily("purge_batch_seconds", "What a transaction of the purge took")
    batches.add_metric([], buckets=tallied.batches(), sum_value=tallied.seconds)
    yield batches
    yield CounterMetricFamily("purge_rows", "Messages, conversations and events deleted", value=tallied.rows)
    brakes = CounterMetricFamily("purge_brakes", "What held the purge back, how often", labels=["brake"])
    for brake, number in tallied.brakes().items():
        brakes.add_metric([brake], number)
    yield brakes


def _of_people(now: datetime) -> Iterator[Metric]:
    owed = OwedItem.objects.filter(state=OwedItem.State.OPEN, app__deleted_at=None)
    erasures = PrivacyRequest.objects.unanswered().filter(
        kind=PrivacyRequest.Kind.ERASURE, due_at__lt=now + SOON
    )
    for name, documentation, rows in (
        ("retention_holds", "Legal holds in force", LegalHold.objects.active()),
        ("retention_justifications_owed", "Policies without their legal ground", owed),
        ("retention_justifications_overdue", "Those beyond their day", owed.filter(due_at__lt=now)),
        ("retention_erasures_due_soon", "Erasures to be done within 7 days, or late", erasures),
    ):
        yield _gauge(name, documentation, rows.count())


def _of_the_ledger(now: datetime) -> Iterator[Metric]:
    checks = LedgerCheck.objects.all()
    latest, genuine = checks.latest_one(), checks.genuine().latest_one()
    if latest:
        yield _gauge("ledger_faults", "What the last check of the purge ledger found wrong", latest.faults)
    if genuine:
        age = (now - genuine.ended_at).total_seconds()
        yield _gauge("ledger_verified_age_seconds", "Since the whole ledger was last found genuine", age)


def _of_tables() -> Metric:
    shares = GaugeMetricFamily(
        "retention_dead_rows_ratio", "Rows that vacuum has not taken yet, of all", labels=["table"]
    )
    for table in vacuuming.tables():
        shares.add_metric([table.name], table.dead_share)
    return shares


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=value)
