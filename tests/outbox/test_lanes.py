"""Lanes are served as their owners say, and go when nobody needs them."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError

from outbox import entries, lanes, sweeping
from outbox.draining import drain
from outbox.kinds import Decision, Verdict
from outbox.models import Entry, Lane
from projects import clock
from tests.outbox.parcels import DONE

LONG_AGO = timedelta(days=40)


@pytest.mark.django_db
def test_in_an_ordered_lane_nothing_overtakes_what_comes_back(parcels, receiver):
    owner, refs = uuid4(), [uuid4() for _ in range(12)]
    parcels.judge = lambda claimed, _: (
        Verdict(Decision.RETRY, after=3.0) if claimed.ref == refs[4] and claimed.attempt < 4 else DONE
    )
    lanes.tune("parcels", owner, is_ordered=True)
    for ref in refs:
        entries.put("parcels", [(owner, ref)])

    drain(horizon=timedelta(seconds=30))

    arrived = [UUID(path.removeprefix("/")) for path in receiver.paths]
    assert arrived == [*refs[:4], *[refs[4]] * 4, *refs[5:]]


@pytest.mark.django_db
def test_in_an_ordered_lane_a_try_is_due_when_its_wait_is_over(parcels):
    owner = uuid4()
    parcels.judge = lambda claimed, _: Verdict(Decision.RETRY, after=3.0) if claimed.attempt < 3 else DONE
    lanes.tune("parcels", owner, is_ordered=True)
    entries.put("parcels", [(owner, uuid4())])

    drain(horizon=timedelta(seconds=30))

    first, second, third = (result.claimed.due_at for result in parcels.recorded)
    assert second - first >= timedelta(seconds=3)
    assert third - second >= timedelta(seconds=3)


@pytest.mark.django_db
def test_a_lane_is_no_wider_than_allowed():
    with pytest.raises(IntegrityError):
        lanes.tune("parcels", uuid4(), width=65)


@pytest.mark.django_db
def test_a_lane_that_was_idle_for_long_retires_and_is_taken_away():
    idle, busy = uuid4(), uuid4()
    for owner in (idle, busy):
        entries.open_lane("parcels", owner)
    Lane.objects.update(last_served_at=clock.now() - LONG_AGO)
    entries.put("parcels", [(busy, uuid4())])

    sweeping.sweep()
    assert Lane.objects.filter(retired_at=None).get().owner == busy
    Lane.objects.exclude(retired_at=None).update(retired_at=clock.now() - LONG_AGO)
    sweeping.sweep()

    assert Lane.objects.get().owner == busy


@pytest.mark.django_db
def test_an_entry_takes_a_retired_lane_back_into_service():
    owner = uuid4()
    entries.open_lane("parcels", owner)
    Lane.objects.update(retired_at=clock.now() - LONG_AGO)

    entries.put("parcels", [(owner, uuid4())])
    sweeping.sweep()

    assert Lane.objects.get().retired_at is None
    assert Entry.objects.count() == 1


@pytest.mark.django_db
def test_a_lane_that_its_owner_tuned_stays():
    lanes.tune("parcels", uuid4(), width=2)
    Lane.objects.update(last_served_at=clock.now() - LONG_AGO)

    sweeping.sweep()

    assert Lane.objects.get().retired_at is None
