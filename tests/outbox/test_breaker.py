"""A receiver that fails again and again is left alone, and asked now and then how it is."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from gateway.http import Request, Response
from outbox import entries, lanes
from outbox.dispatching.claiming import claim
from outbox.dispatching.health import Health
from outbox.draining import drain
from outbox.kinds import Breaker, Claimed, Decision, Result, Verdict
from outbox.models import Entry, Lane
from projects import clock
from tests.outbox.parcels import DONE, Parcels

AGAIN = Verdict(Decision.RETRY, after=1000.0)  # later than any pause: what follows is never the same entry


class GuardedParcels(Parcels):
    def breaker(self) -> Breaker:
        return Breaker(first_pause=5.0, longest_pause=60.0)


@pytest.fixture
def guarded(receiver, register) -> GuardedParcels:
    guarded = GuardedParcels(receiver.url, judge=lambda *_: AGAIN)
    register(guarded)
    return guarded


def make_result(
    now, *, entry_id: int = 1, verdict: Verdict = AGAIN, error: str = "", after: float = 0.0
) -> Result:
    claimed = Claimed(entry_id, uuid4(), uuid4(), 1, now, now)
    response = Response(0, error=error) if error else Response(500)
    started_at = now + timedelta(seconds=after)
    return Result(claimed, Request("POST", "http://receiver"), response, verdict, started_at)


@pytest.mark.django_db
def test_a_dead_receiver_costs_one_request_a_pause(guarded, receiver):
    owner = uuid4()
    entries.put("parcels", [(owner, uuid4()) for _ in range(50)])

    drain()
    first = len(receiver.paths)
    drain(horizon=timedelta(seconds=4))
    assert len(receiver.paths) == first
    drain(horizon=timedelta(seconds=5 + 10 + 20 + 40 + 60 + 60 + 2))

    # At first one after the other, as each failure narrows the lane; then one probe after each pause.
    assert first <= 6
    assert len(receiver.paths) - first == 6
    assert Entry.objects.filter(attempts=0).count() == 50 - len(receiver.paths)


@pytest.mark.django_db
def test_a_dead_receiver_is_left_alone_by_what_is_given_up_too(guarded, receiver):
    guarded.judge = lambda *_: Verdict(Decision.DEAD)
    entries.put("parcels", [(uuid4(), uuid4())] * 50)

    drain()
    first = len(receiver.paths)
    drain(horizon=timedelta(seconds=5 + 10 + 20 + 1))

    assert first <= 6
    assert len(receiver.paths) - first == 3


@pytest.mark.django_db
def test_what_is_given_up_without_blaming_anybody_opens_no_breaker(guarded, receiver):
    guarded.judge = lambda *_: Verdict(Decision.DEAD, strain=0.0)
    entries.put("parcels", [(uuid4(), uuid4())] * 50)

    drain()

    assert len(receiver.paths) == 50
    assert Lane.objects.get().fail_streak == 0


@pytest.mark.django_db
def test_a_receiver_that_comes_back_gets_everything(guarded, receiver):
    owner = uuid4()
    entries.put("parcels", [(owner, uuid4()) for _ in range(50)])
    drain(horizon=timedelta(seconds=6))
    guarded.judge = lambda *_: DONE

    drain(horizon=timedelta(seconds=2000))

    lane = Lane.objects.get()
    assert not Entry.objects.exists()
    assert (lane.trips, lane.strain, lane.failed_entries) == (0, 0.0, [])


@pytest.mark.django_db
def test_a_lane_that_is_woken_is_served_at_once(guarded, receiver):
    owner = uuid4()
    entries.put("parcels", [(owner, uuid4()) for _ in range(50)])
    drain()
    guarded.judge = lambda *_: DONE

    lanes.wake("parcels", owner)

    drain()
    assert Entry.objects.filter(attempts=0).count() == 0


@pytest.mark.django_db
def test_an_unguarded_kind_is_tried_by_its_schedule_alone(parcels, receiver):
    parcels.judge = lambda *_: AGAIN
    entries.put("parcels", [(uuid4(), uuid4())] * 30)

    drain()

    assert len(receiver.paths) == 30


def test_one_entry_that_nobody_can_take_opens_no_breaker(now):
    health = Health()

    for number in range(20):
        health = health.after(make_result(now, after=number), breaker=Breaker(5.0, 60.0))

    assert health.fail_streak == 20
    assert health.paused_until is None


def test_no_connection_three_times_in_a_row_opens_it(now):
    health = Health()

    for number in range(3):
        assert health.paused_until is None
        health = health.after(make_result(now, error="connect", after=number), breaker=Breaker(5.0, 60.0))

    assert health.paused_until == now + timedelta(seconds=2 + 5)


def test_half_weights_need_twice_as_many(now):
    half = Verdict(Decision.RETRY, strain=0.5)
    health = Health()

    for number in range(9):
        health = health.after(make_result(now, entry_id=number, verdict=half), breaker=Breaker(5.0, 60.0))
    assert health.paused_until is None
    health = health.after(make_result(now, entry_id=9, verdict=half), breaker=Breaker(5.0, 60.0))

    assert health.paused_until == now + timedelta(seconds=5)


def test_what_was_under_way_when_it_opened_opens_it_no_further(now):
    health = Health(strain=4.0, failed=(1, 2))

    for number in range(3, 10):
        health = health.after(make_result(now, entry_id=number), breaker=Breaker(5.0, 60.0))

    assert health.trips == 1
    assert health.paused_until == now + timedelta(seconds=5)


def test_no_pause_is_longer_than_the_longest(now):
    health = Health(strain=9.0, failed=(1, 2, 3), trips=40)

    health = health.after(make_result(now), breaker=Breaker(5.0, 60.0))

    assert health.paused_until == now + timedelta(seconds=60)


def test_a_receiver_that_asks_for_less_gets_half_and_slowly_more(now):
    slower, done = Verdict(Decision.RETRY, slows_down=True, strain=0.0), make_result(now, verdict=DONE)

    health = Health(width=8).after(make_result(now, verdict=slower), breaker=None)
    assert health.most_at_once == 4
    for _ in range(20):
        health = health.after(done, breaker=None)
    assert health.most_at_once == 5
    for _ in range(60):
        health = health.after(done, breaker=None)

    assert health.most_at_once == 8
    assert health.narrowed_to is None


@pytest.mark.django_db
def test_an_open_breaker_probes_with_one_try(guarded, receiver):
    entries.put("parcels", [(uuid4(), uuid4())] * 9)
    Lane.objects.update(trips=2, paused_until=clock.now() - timedelta(seconds=1))

    (lease,) = claim(kinds=["parcels"], limit=9, lease=timedelta(seconds=30)).leases

    assert lease.health.most_at_once == 1
