"""A look sees what is new and a stretch of the rest, and in the end everything."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import F

from outbox import entries
from outbox.dispatching import claiming, looking
from outbox.dispatching.claiming import EVERYWHERE, Stretch, Survey
from outbox.dispatching.looking import Looks
from outbox.models import Entry, Lane

pytestmark = pytest.mark.django_db

SLOW = 2 * looking.LONG_SECONDS
LEASE = timedelta(seconds=30)


def claim(stretch: Stretch) -> Survey:
    return claiming.claim(kinds=["parcels"], limit=100, lease=LEASE, stretch=stretch)


def look(looks: Looks, *, now: datetime, seconds: float) -> Survey:
    """One look at that moment, as if it had taken so long."""
    stretch = looks.stretch(now=now)
    return looks.saw(replace(claim(stretch), now=now, seconds=seconds), stretch=stretch)


def strained(*, lanes: int) -> tuple[Looks, datetime]:
    """Where looking everywhere takes long, and nothing waits in any lane; and the moment after that."""
    entries.put("parcels", [(uuid4(), uuid4()) for _ in range(lanes)])
    Entry.objects.all().delete()
    looks, now = Looks(), claim(EVERYWHERE).now
    while looks.stretch(now=now) is EVERYWHERE:
        look(looks, now=now, seconds=SLOW)
        now += timedelta(seconds=1)
    return looks, now


def old_entry(owner: UUID) -> None:
    """One whose id has long been passed: its transaction began before the others and commits now."""
    entries.put("parcels", [(owner, uuid4())])
    Entry.objects.update(id=-1)


def test_what_is_quick_goes_everywhere_each_time_it_has_rested():
    looks, now = Looks(), claim(EVERYWHERE).now

    first = looks.stretch(now=now)
    look(looks, now=now, seconds=0.001)
    resting = looks.stretch(now=now + timedelta(milliseconds=15))
    rested = looks.stretch(now=now + timedelta(milliseconds=21))

    assert first is rested is EVERYWHERE
    assert resting.after == resting.until


def test_what_is_new_is_seen_at_once_however_far_the_round_has_come():
    looks, now = strained(lanes=40)
    owner = uuid4()
    for soon in (0, 1):
        look(looks, now=now + timedelta(milliseconds=soon), seconds=SLOW)
    entries.put("parcels", [(owner, uuid4())])

    survey = look(looks, now=now + timedelta(milliseconds=2), seconds=SLOW)

    assert [lease.owner for lease in survey.leases] == [owner]


def test_what_was_committed_late_is_found_within_a_round():
    looks, now = strained(lanes=40)
    owner = Lane.objects.order_by("id")[30].owner
    old_entry(owner)

    found = []
    for number in range(80):
        survey = look(looks, now=now + timedelta(seconds=number), seconds=SLOW)
        found += [lease.owner for lease in survey.leases]

    assert found == [owner]


def test_rounds_become_quick_again_when_the_strain_is_over():
    looks, now = strained(lanes=40)
    for number in range(20):
        look(looks, now=now + timedelta(seconds=number), seconds=0.001)

    assert looks.stretch(now=now + timedelta(seconds=21)) is EVERYWHERE


def test_what_becomes_due_is_remembered_and_found_before_the_rest_is_over():
    looks, now = Looks(), claim(EVERYWHERE).now
    entries.put("parcels", [(uuid4(), uuid4())], delay=60.0)
    due_at = look(looks, now=now, seconds=10.0).next_due_at
    entries.put("parcels", [(uuid4(), uuid4())], delay=90.0)

    survey = look(looks, now=now + timedelta(seconds=1), seconds=0.001)
    early, late = (looks.stretch(now=now + timedelta(seconds=seconds)) for seconds in (58, 61))

    assert survey.next_due_at == due_at
    assert early.after == early.until
    assert late.after < late.until


def test_a_look_can_be_asked_to_go_everywhere():
    looks, now = strained(lanes=40)

    looks.look_everywhere()

    assert looks.stretch(now=now) is EVERYWHERE
    assert looks.stretch(now=now) is not EVERYWHERE


def test_a_flood_that_one_look_cannot_read_is_looked_for_everywhere():
    looks, now = strained(lanes=40)
    stretch = looks.stretch(now=now)

    looks.saw(replace(claim(stretch), newest=stretch.newer_than + claiming.MOST_NEW + 1), stretch=stretch)

    assert looks.stretch(now=now) is EVERYWHERE


def test_a_lane_that_is_held_and_has_something_due_is_told():
    entries.put("parcels", [(uuid4(), uuid4())])
    (lease,) = claim(EVERYWHERE).leases

    survey = claim(EVERYWHERE)

    assert survey.busy == {lease.lane_id}
    assert not survey.leases


def test_many_that_were_not_committed_at_one_look_are_all_seen_by_the_next():
    looks, now = strained(lanes=40)
    owners = [lane.owner for lane in Lane.objects.order_by("id")]
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('outbox_entry_id_seq', nextval('outbox_entry_id_seq') + 5000)")
        (given,) = cursor.fetchone()
    look(looks, now=now + timedelta(milliseconds=100), seconds=SLOW)
    entries.put("parcels", [(owner, uuid4()) for owner in owners])
    Entry.objects.update(id=given - 4000 + F("lane_id") - Lane.objects.earliest("id").id)

    survey = look(looks, now=now + timedelta(milliseconds=200), seconds=SLOW)

    assert {lease.owner for lease in survey.leases} == set(owners)
