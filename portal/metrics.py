"""`/metrics`: how the house is doing, for Prometheus. It names no tenant and no person, so nobody has to log in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

import outbox.reporting
import webhooks.reporting
from portal import counting
from projects import clock
from projects.models import App
from retention import due

APPS_LOOKED_AT: Final = 200  # for the lag of retention, at each scrape; other ones each time


class Requests(Collector):
    """What was asked of the web, by all its processes."""

    def collect(self) -> Iterator[Metric]:
        """As it was counted."""
        requests = CounterMetricFamily(
            "http_requests", "Requests, by door, method and status", labels=["door", "method", "status"]
        )
        seconds = CounterMetricFamily(
            "http_request_seconds", "What they took, all together", labels=["door", "method"]
        )
        for (door, method, name), number in sorted(counting.counted().items()):
            if name == counting.SECONDS:
                seconds.add_metric([door, method], number)
            else:
                requests.add_metric([door, method, name], number)
        yield requests
        yield seconds


class Retention(Collector):
    """Whether what is due is deleted."""

    def collect(self) -> Iterator[Metric]:
        """The app that is latest, among those that are looked at."""
        apps = list(App.objects.order_by("?")[:APPS_LOOKED_AT])
        lags = [
            lag
            for parts in due.of_apps(apps, at=clock.now()).values()
            for part in parts
            if (lag := part.lag()) is not None
        ]
        yield GaugeMetricFamily(
            "retention_lag_seconds",
            "How long the oldest message that is due has been so, in the app that is latest of at most 200",
            value=max(lags, default=timedelta(0)).total_seconds(),
        )


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 -- a view's shape
    """All of them, in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    for report in (outbox.reporting.Report(), webhooks.reporting.Report(), Retention(), Requests()):
        registry.register(report)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
