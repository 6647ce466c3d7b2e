"""`/metrics`: how the house is doing, for Prometheus. It names no person, and no tenant unless asked to, so nobody has to log in."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

import outbox.reporting
import retention.tending.reporting
import webhooks.tending.reporting
from portal import counting


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


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 -- a view's shape
    """All of them, in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    for report in (
        outbox.reporting.Report(),
        webhooks.tending.reporting.Report(),
        retention.tending.reporting.Report(),
        Requests(),
    ):
        registry.register(report)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
