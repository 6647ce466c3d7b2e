"""A lane is held by one dispatcher at a time, and who lost it leaves no trace."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection

from gateway.http import Request, Response
from outbox import entries, lanes
from outbox.dispatching import claiming, flushing
from outbox.dispatching.claiming import Lease, Survey
from outbox.dispatching.settlements import Settlement, concluded
from outbox.kinds import Claimed, Result
from outbox.models import Entry, Lane
from tests.outbox.parcels import DONE

LEASE = timedelta(seconds=30)


def claim(*, limit: int = 100, later: timedelta = timedelta(0)) -> Survey:
    return claiming.claim(kinds=["parcels"], limit=limit, lease=LEASE, ahead=later)


def sent(lease: Lease, claimed: Claimed, survey: Survey) -> Settlement:
    result = Result(claimed, Request("POST", "http://receiver"), Response(200), DONE, survey.now)
    return concluded(lease, result, now=survey.now)


def refs_due(survey: Survey) -> list[UUID]:
    """The next page of the one lane that was claimed."""
    (page,) = claiming.due([(survey.leases[0], 10)], now=survey.now).values()
    return [claimed.ref for claimed in page]


@pytest.mark.django_db
def test_a_lane_that_is_held_is_not_claimed_before_its_lease_ends():
    entries.put("parcels", [(uuid4(), uuid4())])

    first, second, third = claim(), claim(), claim(later=LEASE + timedelta(seconds=1))

    assert [len(survey.leases) for survey in (first, second, third)] == [1, 0, 1]
    assert third.leases[0].token > first.leases[0].token


@pytest.mark.django_db
def test_a_renewed_lease_holds_on_and_a_lost_one_is_told():
    entries.put("parcels", [(uuid4(), uuid4())])
    survey = claim()
    later = survey.now + timedelta(seconds=25)

    assert claiming.renew(survey.leases, now=later, lease=LEASE)
    assert not claim(later=timedelta(seconds=40)).leases
    assert claim(later=timedelta(seconds=60)).leases
    assert not claiming.renew(survey.leases, now=later, lease=LEASE)


@pytest.mark.django_db
def test_a_beat_that_comes_after_the_release_does_not_take_the_lane_again():
    entries.put("parcels", [(uuid4(), uuid4())])
    survey = claim()
    claiming.release(survey.leases, now=survey.now)

    assert not claiming.renew(survey.leases, now=survey.now, lease=LEASE)

    assert len(claim().leases) == 1


@pytest.mark.django_db(transaction=True)
def test_claims_at_once_never_share_a_lane():
    entries.put("parcels", [(uuid4(), uuid4()) for _ in range(60)])
    claimed: list[int] = []
    start = threading.Barrier(4)

    def claim_all() -> None:
        start.wait()
        while leases := claim(limit=5).leases:
            claimed.extend(lease.lane_id for lease in leases)
        connection.close()

    dispatchers = [threading.Thread(target=claim_all) for _ in range(4)]
    for dispatcher in dispatchers:
        dispatcher.start()
    for dispatcher in dispatchers:
        dispatcher.join()

    assert len(claimed) == len(set(claimed))
    assert len(claimed) + len(claim().leases) == 60


@pytest.mark.django_db
def test_the_late_result_of_a_stalled_holder_leaves_no_trace(parcels):
    entries.put("parcels", [(uuid4(), uuid4())])
    stalled = claim()
    (entry,) = claiming.due([(stalled.leases[0], 10)], now=stalled.now)[stalled.leases[0].lane_id]
    other = claim(later=LEASE + timedelta(seconds=1))

    flushing.flush([sent(stalled.leases[0], entry, stalled)], now=stalled.now)
    assert parcels.recorded == []
    assert Entry.objects.exists()

    flushing.flush([sent(other.leases[0], entry, other)], now=other.now)
    assert len(parcels.recorded) == 1
    assert not Entry.objects.exists()


@pytest.mark.django_db
def test_a_holder_who_lost_the_lane_reads_nothing_more_from_it():
    entries.put("parcels", [(uuid4(), uuid4())])
    stalled = claim()
    claim(later=LEASE + timedelta(seconds=1))

    assert claiming.due([(stalled.leases[0], 10)], now=stalled.now) == {stalled.leases[0].lane_id: []}


@pytest.mark.django_db
def test_the_result_of_a_lane_that_was_closed_meanwhile_leaves_no_trace(parcels):
    owner = uuid4()
    entries.put("parcels", [(owner, uuid4())])
    survey = claim()
    (entry,) = claiming.due([(survey.leases[0], 10)], now=survey.now)[survey.leases[0].lane_id]
    entries.close("parcels", owner)

    flushing.flush([sent(survey.leases[0], entry, survey)], now=survey.now)

    assert parcels.recorded == []


@pytest.mark.django_db
def test_the_lane_unserved_for_longest_is_claimed_first():
    for _ in range(3):
        entries.put("parcels", [(uuid4(), uuid4())])
    served = claim(limit=2)
    claiming.release(served.leases, now=served.now)

    (lease,) = claim(limit=1).leases

    assert lease.lane_id not in {lease.lane_id for lease in served.leases}


@pytest.mark.django_db
def test_a_look_tells_when_something_becomes_due():
    entries.put("parcels", [(uuid4(), uuid4())], delay=60.0)
    entries.put("parcels", [(uuid4(), uuid4())], delay=30.0, urgent=True)
    entries.put("strangers", [(uuid4(), uuid4())], delay=1.0)

    survey = claim()

    assert not survey.leases
    assert survey.next_due_at
    assert timedelta(seconds=29) < survey.next_due_at - survey.now <= timedelta(seconds=30)


@pytest.mark.django_db
def test_a_paused_lane_is_due_when_its_pause_ends():
    entries.put("parcels", [(uuid4(), uuid4())])
    pause_ends = claim(limit=0).now + timedelta(minutes=5)
    Lane.objects.update(paused_until=pause_ends)

    survey = claim()

    assert not survey.leases
    assert survey.next_due_at == pause_ends
    assert claim(later=timedelta(minutes=6)).leases


@pytest.mark.django_db
def test_what_was_committed_late_is_read_once_the_lease_is_renewed():
    owner, newer, late = uuid4(), uuid4(), uuid4()
    entries.put("parcels", [(owner, newer)])
    survey = claim()
    first = refs_due(survey)
    entries.put("parcels", [(owner, late)], due_at=survey.now - timedelta(minutes=1))

    second = refs_due(survey)
    claiming.renew(survey.leases, now=survey.now, lease=LEASE)

    assert first == second == [newer]
    assert refs_due(survey) == [late, newer]


@pytest.mark.django_db
def test_what_was_committed_late_in_an_ordered_lane_is_read_with_the_next_page():
    owner, newer, late = uuid4(), uuid4(), uuid4()
    lanes.tune("parcels", owner, is_ordered=True)
    entries.put("parcels", [(owner, newer)])
    survey = claim()
    assert refs_due(survey) == [newer]

    entries.put("parcels", [(owner, late)], due_at=survey.now - timedelta(minutes=1))

    assert refs_due(survey) == [late, newer]


@pytest.mark.django_db
def test_a_page_goes_on_where_either_priority_has_its_first():
    owner, urgent, normal = uuid4(), uuid4(), uuid4()
    survey_at = claim(limit=0).now
    entries.put("parcels", [(owner, normal)], due_at=survey_at - timedelta(minutes=5))
    entries.put("parcels", [(owner, urgent)], due_at=survey_at - timedelta(minutes=1), urgent=True)
    survey = claim()

    first = claiming.due([(survey.leases[0], 1)], now=survey.now)
    Entry.objects.filter(ref=urgent).delete()

    assert [claimed.ref for claimed in first[survey.leases[0].lane_id]] == [urgent]
    assert refs_due(survey) == [normal]


@pytest.mark.django_db
def test_a_claim_does_not_read_the_backlog():
    entries.put("parcels", [(uuid4(), uuid4()) for _ in range(3)])
    entries.put("parcels", [(uuid4(), uuid4())] * 5000)
    terms: claiming.Terms = {
        "kinds": ["parcels"],
        "limit": 10,
        "lease": LEASE,
        "ahead": timedelta(0),
        "newer_than": claiming.LAST_ID,
        "most": claiming.MOST_NEW,
        "after": 0,
        "until": claiming.LAST_ID,
    }

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE outbox_entry")
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + claiming.CLAIM, terms)
        (plan,) = cursor.fetchone()

    assert most_rows(plan[0]["Plan"]) < 1000


def most_rows(node: Any) -> Any:
    """The most that a step of the plan really read."""
    return max([node["Actual Rows"], *map(most_rows, node.get("Plans", []))])


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_breaks_within_a_flush_is_not_blamed_on_the_record(parcels):
    entries.put("parcels", [(uuid4(), uuid4())])
    survey = claim()
    (entry,) = claiming.due([(survey.leases[0], 10)], now=survey.now)[survey.leases[0].lane_id]
    parcels.after_record = lambda _: hang_up()

    with pytest.raises(OperationalError):  # what the dispatcher waits out, to flush the same again
        flushing.flush([sent(survey.leases[0], entry, survey)], now=survey.now)

    assert Entry.objects.get().attempts == 0


def hang_up() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
