"""A dispatcher that dies by kill -9 takes nothing with it."""

from __future__ import annotations

import signal
import time
from datetime import timedelta
from uuid import uuid4

import pytest

from outbox import entries
from outbox.dispatching.limits import Limits
from outbox.models import Entry
from tests.outbox.dispatchers import dispatching, eventually
from tests.outbox.processes import running

pytestmark = pytest.mark.django_db(transaction=True)

LEASE_SECONDS = 1.0
KILLS = 3


def slowly(_: str) -> int:
    time.sleep(0.01)
    return 200


def test_a_killed_dispatcher_loses_nothing(parcels, receiver):
    receiver.answer = slowly
    refs = [uuid4() for _ in range(1500)]
    owners = [uuid4() for _ in range(25)]
    entries.put("parcels", [(owners[i % 25], ref) for i, ref in enumerate(refs)])

    for enough in range(200, 200 * KILLS + 1, 200):
        with running("tests.outbox.worker", receiver.url, str(LEASE_SECONDS)) as worker:
            assert receiver.waits_for(enough, seconds=30)
            worker.kill()
    assert Entry.objects.exists()
    with dispatching(Limits(lease=timedelta(seconds=LEASE_SECONDS))):
        assert eventually(lambda: not Entry.objects.exists(), within=30)

    assert set(receiver.paths) == {f"/{ref}" for ref in refs}
    limits = Limits()
    assert len(receiver.paths) - len(refs) <= KILLS * (limits.in_flight + limits.unflushed)


def test_a_dispatcher_that_froze_beyond_its_lease_does_no_harm_when_it_wakes(parcels, receiver):
    refs = [uuid4() for _ in range(400)]
    owners = [uuid4() for _ in range(5)]
    receiver.answer = slowly
    entries.put("parcels", [(owners[i % 5], ref) for i, ref in enumerate(refs)])

    with running("tests.outbox.worker", receiver.url, str(LEASE_SECONDS)) as frozen:
        assert receiver.waits_for(50, seconds=30)
        frozen.send_signal(signal.SIGSTOP)
        with dispatching(Limits(lease=timedelta(seconds=LEASE_SECONDS), heartbeat=LEASE_SECONDS / 6)):
            assert eventually(lambda: not Entry.objects.exists(), within=30)
            arrived = len(receiver.paths)
            frozen.send_signal(signal.SIGCONT)
            time.sleep(1.0)
            assert len(receiver.paths) - arrived <= 5 * 8  # what was on its way to the other side

    assert set(receiver.paths) == {f"/{ref}" for ref in refs}
    assert len(parcels.recorded_refs) == len(set(parcels.recorded_refs))
