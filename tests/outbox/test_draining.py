"""What becomes of entries, seen by draining the outbox in the test's own transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from gateway.http import Client, Request, Response
from outbox import entries
from outbox.draining import drain
from outbox.kinds import Decision, Send, Verdict
from outbox.models import Entry, Lane
from tests.outbox.parcels import DONE, Parcels

pytestmark = pytest.mark.django_db


def test_an_entry_is_sent_recorded_and_gone(parcels, receiver):
    owner, ref = uuid4(), uuid4()
    entries.put("parcels", [(owner, ref)])

    assert drain() == 1

    assert receiver.paths == [f"/{ref}"]
    (result,) = parcels.recorded
    assert (result.claimed.owner, result.claimed.attempt, result.response.status) == (owner, 1, 200)
    assert not Entry.objects.exists()
    assert Lane.objects.get().lease_until is None


def test_many_entries_of_many_owners_are_sent_once_each(parcels, receiver):
    refs = [uuid4() for _ in range(300)]
    owners = [uuid4() for _ in range(7)]
    entries.put("parcels", [(owners[i % 7], ref) for i, ref in enumerate(refs)])

    drain()

    assert sorted(receiver.paths) == sorted(f"/{ref}" for ref in refs)
    assert sorted(parcels.recorded_refs) == sorted(refs)


def test_a_retry_comes_back_after_its_delay_as_the_next_attempt(parcels, receiver):
    receiver.answer = lambda _: 500 if len(receiver.paths) < 3 else 200
    entries.put("parcels", [(uuid4(), uuid4())])

    drain()
    assert Entry.objects.get().attempts == 1
    drain(horizon=timedelta(seconds=10))

    assert [result.claimed.attempt for result in parcels.recorded] == [1, 2, 3]
    first, second, third = (result.started_at for result in parcels.recorded)
    assert second - first >= timedelta(seconds=1)
    assert third - second >= timedelta(seconds=1)
    assert Lane.objects.get().fail_streak == 0


def test_failures_in_a_row_are_counted_in_the_lane(parcels, receiver):
    receiver.answer = lambda _: 500
    entries.put("parcels", [(uuid4(), uuid4())])

    drain(horizon=timedelta(seconds=2.5))

    assert Lane.objects.get().fail_streak == len(receiver.paths) == 3


def test_a_dead_entry_is_recorded_and_gone(parcels):
    parcels.judge = lambda *_: Verdict(Decision.DEAD, outcome="gone for good")
    entries.put("parcels", [(uuid4(), uuid4())])

    drain()

    assert parcels.recorded[0].verdict.outcome == "gone for good"
    assert not Entry.objects.exists()


def test_an_entry_whose_subject_is_gone_is_dropped(parcels, receiver):
    lost, kept = uuid4(), uuid4()
    parcels.lost = {lost}
    entries.put("parcels", [(uuid4(), lost), (uuid4(), kept)])

    drain()

    assert receiver.paths == [f"/{kept}"]
    assert parcels.recorded_refs == [kept]
    assert not Entry.objects.exists()


def test_an_answer_known_beforehand_needs_no_network(register):
    class Dismissals(Parcels):
        def load(self, batch):
            return {
                entry.id: Request("POST", "http://nowhere.invalid", answer=Response(200)) for entry in batch
            }

    dismissals = Dismissals("")
    register(dismissals)
    entries.put("parcels", [(uuid4(), uuid4())])

    drain()

    assert [result.response.status for result in dismissals.recorded] == [200]


def test_an_urgent_entry_overtakes_its_lane(parcels, receiver):
    owner, urgent = uuid4(), uuid4()
    entries.put("parcels", [(owner, uuid4()) for _ in range(20)])
    entries.put("parcels", [(owner, urgent)], urgent=True)

    drain()

    assert f"/{urgent}" in receiver.paths[:2]  # a new lane tries two at once


def test_a_delayed_entry_waits_for_its_time(parcels, receiver):
    entries.put("parcels", [(uuid4(), uuid4())], delay=60.0)

    drain(horizon=timedelta(seconds=30))
    assert receiver.paths == []
    drain(horizon=timedelta(seconds=90))

    assert len(receiver.paths) == 1


def test_a_pause_rests_the_whole_lane(parcels, receiver):
    parcels.judge = lambda *_: Verdict(Decision.RETRY, after=1.0, pause=60.0)
    owner = uuid4()
    entries.put("parcels", [(owner, uuid4()) for _ in range(10)])

    drain(horizon=timedelta(seconds=50))
    assert len(receiver.paths) <= 2
    parcels.judge = lambda *_: DONE
    drain(horizon=timedelta(seconds=70))

    assert not Entry.objects.exists()


def test_recording_may_put_further_entries(parcels, receiver):
    owner, first, echo = uuid4(), uuid4(), uuid4()

    def put_an_echo(results):
        if results[0].claimed.ref == first:
            entries.put("parcels", [(owner, echo)], delay=2.0)

    parcels.after_record = put_an_echo
    entries.put("parcels", [(owner, first)])

    drain(horizon=timedelta(seconds=10))

    assert receiver.paths == [f"/{first}", f"/{echo}"]


def test_a_result_that_cannot_be_recorded_costs_the_others_nothing(parcels, caplog):
    refs = [uuid4() for _ in range(20)]
    parcels.unrecordable = {refs[7]}
    entries.put("parcels", [(uuid4(), ref) for ref in refs])

    drain()

    assert set(parcels.recorded_refs) == {*refs} - {refs[7]}
    left = Entry.objects.get()
    assert left.ref == refs[7]
    assert left.attempts == 1
    assert left.next_at > left.created_at + timedelta(seconds=4)
    assert "cannot record" in caplog.text


def test_an_entry_that_cannot_be_loaded_costs_the_others_nothing(parcels, receiver, caplog):
    refs = [uuid4() for _ in range(20)]
    parcels.unreadable = {refs[3]}
    entries.put("parcels", [(uuid4(), ref) for ref in refs])

    drain()

    assert len(receiver.paths) == 19
    assert Entry.objects.get().ref == refs[3]
    assert "cannot cope" in caplog.text


def test_an_answer_that_cannot_be_read_comes_back_later(parcels, caplog):
    def misread(*_):
        raise ValueError("What is this?")

    parcels.judge = misread
    entries.put("parcels", [(uuid4(), uuid4())])

    drain()
    assert Entry.objects.get().attempts == 1
    parcels.judge = lambda *_: DONE
    drain(horizon=timedelta(minutes=1))

    assert not Entry.objects.exists()
    assert "cannot cope" in caplog.text


def test_lanes_of_a_kind_that_nobody_registered_are_left_alone(register):
    entries.put("parcels", [(uuid4(), uuid4())])

    assert drain() == 0

    assert Entry.objects.get().attempts == 0


def test_a_drain_that_takes_too_long_says_so(parcels, receiver):
    receiver.answer = receiver.hang
    entries.put("parcels", [(uuid4(), uuid4())])

    with pytest.raises(TimeoutError):
        drain(timeout=0.3)

    assert Entry.objects.get().attempts == 0


class Stamped(Parcels):
    """Parcels that are stamped on the way out."""

    senders = 0

    def sender(self, client: Client) -> Send:
        self.senders += 1

        async def stamp_and_send(request: Request) -> Response:
            return await client.send(replace(request, url=f"{request.url}?stamped"))

        return stamp_and_send

    def carries(self, request: Request) -> bool:
        return True


def test_a_kind_may_send_in_its_own_way_and_is_asked_for_it_once(receiver, register):
    stamped = Stamped(receiver.url, name="stamped")
    register(stamped)
    register(Parcels(receiver.url))
    owner, first, second, plain = uuid4(), uuid4(), uuid4(), uuid4()
    entries.put("stamped", [(owner, first), (owner, second)])
    entries.put("parcels", [(owner, plain)])

    drain()

    assert sorted(receiver.paths) == sorted([f"/{first}?stamped", f"/{second}?stamped", f"/{plain}"])
    assert [result.request.url for result in stamped.recorded if "?" in result.request.url] == []
    assert stamped.senders == 1


def test_a_sender_that_raises_costs_the_entry_a_delay_and_nothing_else(receiver, register):
    class Torn(Parcels):
        def sender(self, client: Client) -> Send:
            async def tear(request: Request) -> Response:
                raise ValueError("This parcel is torn.")

            return tear

        def carries(self, request: Request) -> bool:
            return True

    register(Torn(receiver.url))
    entries.put("parcels", [(uuid4(), uuid4())])

    drain()

    assert Entry.objects.get().attempts == 1
    assert Lane.objects.get().lease_until is None
