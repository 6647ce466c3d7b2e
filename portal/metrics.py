"""`/metrics`: how the house is doing, for Prometheus. It names no tenant and no person, so nobody has to log in."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

import outbox.reporting
import webhooks.tending.reporting
from portal import counting
from projects import clock
from retention import measuring


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
        """Of the app that is latest."""
        yield GaugeMetricFamily(
            "retention_lag_seconds",
            "How long the oldest message that is due has been so, in the app that is latest",
            value=measuring.longest_lag(at=clock.now()).total_seconds(),
        )


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 -- a view's shape
    """All of them, in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    for report in (outbox.reporting.Report(), webhooks.tending.reporting.Report(), Retention(), Requests()):
        registry.register(report)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
