"""What the dispatchers of this process count; `reporting` takes it to who answers `/metrics`."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY: Final = CollectorRegistry()
_QUICK: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)

ATTEMPTS = Counter("outbox_attempts", "Tries, by how they ended", ["kind", "outcome"], registry=REGISTRY)
FENCED = Counter("outbox_fenced", "Tries whose lane was lost meanwhile; probably repeated", registry=REGISTRY)
LEASES_LOST = Counter("outbox_leases_lost", "Lanes that somebody else has claimed", registry=REGISTRY)
IN_FLIGHT = Gauge("outbox_in_flight", "Requests that wait for their answer", registry=REGISTRY)
LANES_HELD = Gauge("outbox_lanes_held", "Lanes in the hands of this dispatcher", registry=REGISTRY)
QUEUE_LAG = Histogram(
    "outbox_queue_lag_seconds",
    "From the moment an entry was due until it was read, of the first of each page",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0, 3600.0),
    registry=REGISTRY,
)
CLAIM_SECONDS = Histogram("outbox_claim_seconds", "A look at the outbox", buckets=_QUICK, registry=REGISTRY)
FLUSH_SECONDS = Histogram("outbox_flush_seconds", "A flush", buckets=_QUICK, registry=REGISTRY)
FLUSH_SIZE = Histogram(
    "outbox_flush_size", "Tries in a flush", buckets=(1, 2, 5, 10, 20, 50, 100), registry=REGISTRY
)


def flushed(count: int, *, seconds: float) -> None:
    """A flush of so many tries took so long."""
    FLUSH_SIZE.observe(count)
    FLUSH_SECONDS.observe(seconds)


def tried(outcomes: Iterable[tuple[str, str]]) -> None:
    """These tries, by kind and outcome, are settled."""
    for (kind, outcome), count in Tally(outcomes).items():
        ATTEMPTS.labels(kind, outcome).inc(count)
