"""Lanes that share a limit keep it together; nobody else is held up."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

import pytest

from outbox import entries
from outbox.dispatching import pacing
from outbox.dispatching.limits import Limits
from outbox.kinds import Decision, Pace, Verdict
from outbox.models import Entry
from tests.outbox.dispatchers import dispatching, eventually
from tests.outbox.parcels import Parcels
from tests.outbox.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)


class PacedParcels(Parcels):
    """Parcels whose lanes are told how fast they may send."""

    def __init__(self, url: str, **more) -> None:
        super().__init__(url, **more)
        self.told: dict[UUID, Pace] = {}
        self.asked = 0

    def paces(self, owners: Sequence[UUID]) -> Mapping[UUID, Pace]:
        self.asked += 1
        return {owner: self.told[owner] for owner in owners if owner in self.told}


@pytest.fixture
def paced(receiver, register) -> PacedParcels:
    paced = PacedParcels(receiver.url)
    register(paced)
    return paced


def is_empty() -> bool:
    return not Entry.objects.exists()


def rate(receiver: Receiver) -> float:
    """Requests a second between the first and the last."""
    moments = sorted(receiver.arrived_at.values())
    return (len(moments) - 1) / (moments[-1] - moments[0])


def test_a_lane_keeps_its_pace(paced, receiver):
    owner = uuid4()
    paced.told = {owner: Pace("slow", 50.0)}
    entries.put("parcels", [(owner, uuid4()) for _ in range(60)])

    with dispatching():
        assert eventually(is_empty)

    # The first few come at once: what a tenth of a second allows may be caught up.
    assert 45 < rate(receiver) < 57


def test_a_fast_pace_is_reached(paced, receiver):
    owner = uuid4()
    paced.told = {owner: Pace("fast", 200.0)}
    entries.put("parcels", [(owner, uuid4()) for _ in range(300)])

    with dispatching():
        assert eventually(is_empty)

    assert 170 < rate(receiver) < 220


def test_the_lanes_of_a_group_share_one_pace(paced, receiver):
    owners = [uuid4() for _ in range(4)]
    paced.told = {owner: Pace("shared", 50.0) for owner in owners}
    entries.put("parcels", [(owners[i % 4], uuid4()) for i in range(60)])

    with dispatching():
        assert eventually(is_empty)

    assert 45 < rate(receiver) < 57


def test_no_lane_of_a_group_goes_without(paced, receiver):
    owners = [uuid4() for _ in range(4)]
    refs = {uuid4(): owner for owner in owners for _ in range(50)}
    paced.told = {owner: Pace("shared", 50.0) for owner in owners}
    entries.put("parcels", [(owner, ref) for ref, owner in refs.items()])

    with dispatching(Limits(grace=0.1)):
        assert receiver.waits_for(60, seconds=5.0)

    served = Counter(refs[UUID(sent.removeprefix("/"))] for sent in receiver.paths)
    assert min(served[owner] for owner in owners) >= 8


def test_a_slow_lane_holds_up_no_other(paced, receiver):
    slow, quick = uuid4(), uuid4()
    paced.told = {slow: Pace("slow", 1.0)}
    entries.put("parcels", [(slow, uuid4()) for _ in range(10)])
    entries.put("parcels", [(quick, uuid4()) for _ in range(200)])

    with dispatching():
        assert eventually(lambda: len(receiver.paths) >= 201, within=3.0)

    assert 7 <= Entry.objects.count() <= 9


def test_lanes_that_wait_for_their_turn_leave_when_others_wait_for_a_place(paced, receiver):
    slow, quick = [uuid4() for _ in range(4)], uuid4()
    paced.told = {owner: Pace(str(owner), 0.5) for owner in slow}
    entries.put("parcels", [(owner, uuid4()) for owner in slow for _ in range(5)])
    quick_ref = uuid4()

    with dispatching(Limits(lanes=2, slice=0.2)):
        assert eventually(lambda: len(receiver.paths) >= 2)
        entries.put("parcels", [(quick, quick_ref)])
        assert eventually(lambda: f"/{quick_ref}" in receiver.paths, within=3.0)


def test_an_urgent_entry_goes_before_what_waits_for_its_turn(paced, receiver):
    owner, urgent = uuid4(), uuid4()
    paced.told = {owner: Pace("slow", 10.0)}
    entries.put("parcels", [(owner, uuid4()) for _ in range(40)])

    with dispatching(Limits(grace=0.1)):
        assert eventually(lambda: len(receiver.paths) >= 2)
        entries.put("parcels", [(owner, urgent)], urgent=True)
        assert eventually(lambda: f"/{urgent}" in receiver.paths, within=1.5)

    assert len(receiver.paths) < 20


def test_tries_count_not_entries(paced, receiver):
    owner = uuid4()
    paced.told = {owner: Pace("slow", 20.0)}
    paced.judge = lambda claimed, _: Verdict(
        Decision.RETRY if claimed.attempt < 4 else Decision.DONE, after=0.0
    )
    entries.put("parcels", [(owner, uuid4()) for _ in range(5)])
    began_at = time.monotonic()

    with dispatching():
        assert eventually(is_empty)

    assert len(receiver.paths) == 20
    assert time.monotonic() - began_at > 0.8


def test_a_changed_pace_is_noticed_while_the_lane_is_held(paced, receiver, monkeypatch):
    monkeypatch.setattr(pacing, "FRESH_SECONDS", 0.2)
    owner = uuid4()
    paced.told = {owner: Pace("changing", 4.0)}
    entries.put("parcels", [(owner, uuid4()) for _ in range(60)])

    with dispatching(Limits(heartbeat=0.1)):
        assert eventually(lambda: len(receiver.paths) >= 2)
        paced.told = {}
        assert eventually(is_empty, within=3.0)


def test_kinds_are_asked_rarely(paced, receiver):
    owner = uuid4()
    with dispatching():
        for count in range(1, 21):
            entries.put("parcels", [(owner, uuid4())])
            assert receiver.waits_for(count, seconds=2.0)

    assert paced.asked == 1


def test_a_kind_that_cannot_tell_is_sent_without_a_pace(paced, receiver, caplog):
    paced.told = None  # breaks `paces`
    entries.put("parcels", [(uuid4(), uuid4()) for _ in range(5)])

    with dispatching():
        assert eventually(is_empty)

    assert "How fast to send is not known" in caplog.text


def test_a_stop_does_not_wait_for_a_turn(paced, receiver):
    owner = uuid4()
    paced.told = {owner: Pace("slow", 0.1)}
    entries.put("parcels", [(owner, uuid4()) for _ in range(5)])

    with dispatching():
        assert eventually(lambda: bool(receiver.paths))
        time.sleep(0.2)
        began_at = time.monotonic()

    assert time.monotonic() - began_at < 2.0
    assert Entry.objects.count() == 4
