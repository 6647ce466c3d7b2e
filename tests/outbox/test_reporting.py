"""What dispatchers count is told by whoever answers `/metrics`."""

from __future__ import annotations

import os
import platform
from datetime import timedelta
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry

from outbox import entries, measuring
from outbox.dispatching.limits import Limits
from outbox.models import Entry, Lane
from outbox.reporting import Report
from projects import clock
from tests.outbox.dispatchers import dispatching, eventually


def figures() -> dict[str, float]:
    """By name and labels; of the dispatchers only those of this process."""
    me = f"{platform.node()}:{os.getpid()}"
    registry = CollectorRegistry()
    registry.register(Report())
    found: dict[str, float] = {}
    for sample in (sample for family in registry.collect() for sample in family.samples):
        labels = dict(sample.labels)
        if labels.pop("dispatcher", me) == me:
            found[" ".join([sample.name, *labels.values()])] = sample.value
    return found


@pytest.mark.django_db(transaction=True)
def test_tries_are_counted_by_kind_and_outcome(parcels, receiver):
    with dispatching(Limits(heartbeat=0.1)):
        labels = {"kind": "parcels", "outcome": "done"}
        before = measuring.REGISTRY.get_sample_value("outbox_attempts_total", labels) or 0.0
        entries.put("parcels", [(uuid4(), uuid4()) for _ in range(7)])
        assert eventually(lambda: not Entry.objects.exists())

        assert eventually(lambda: figures().get("outbox_attempts_total parcels done") == before + 7)

    assert figures()["outbox_flush_seconds_count"] > 0


@pytest.mark.django_db
def test_lanes_are_told_by_how_their_receivers_do():
    for trips, seconds in ((0, None), (0, 60), (1, 60), (1, -60)):
        until = clock.now() + timedelta(seconds=seconds) if seconds else None
        Lane.objects.create(kind="parcels", owner=uuid4(), trips=trips, paused_until=until)

    told = figures()

    assert {state: told[f"outbox_lanes {state}"] for state in ("closed", "paused", "open", "half_open")} == {
        "closed": 1.0, "paused": 1.0, "open": 1.0, "half_open": 1.0,
    }  # fmt: skip


@pytest.mark.django_db
def test_states_that_no_lane_is_in_are_told_as_zero():
    told = figures()

    assert [told[f"outbox_lanes {state}"] for state in ("closed", "paused", "open", "half_open")] == [0.0] * 4


@pytest.mark.django_db
def test_the_oldest_due_entry_of_a_healthy_lane_tells_how_late_we_are():
    late, failing = uuid4(), uuid4()
    entries.put("parcels", [(late, uuid4())], due_at=clock.now() - timedelta(seconds=90))
    entries.put("parcels", [(failing, uuid4())], due_at=clock.now() - timedelta(seconds=900))
    Lane.objects.filter(owner=failing).update(fail_streak=1)

    assert 90 <= figures()["outbox_oldest_due_seconds"] < 100


@pytest.mark.django_db
def test_without_redis_the_tables_still_tell(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert "outbox_pending" in figures()
