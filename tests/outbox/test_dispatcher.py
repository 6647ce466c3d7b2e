"""Dispatchers at work in threads of their own, as workers host them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from outbox import entries, lanes
from outbox.dispatching import claiming
from outbox.dispatching.limits import Limits
from outbox.kinds import Decision, Verdict
from outbox.models import Entry, Lane
from tests.outbox.dispatchers import dispatching, eventually

pytestmark = pytest.mark.django_db(transaction=True)


def is_empty() -> bool:
    return not Entry.objects.exists()


def elsewhere(work: Callable[[], None]) -> None:
    """In a transaction of its own."""

    def run() -> None:
        work()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def test_the_bell_wakes_a_dispatcher_that_would_sleep_much_longer(parcels, receiver):
    with dispatching(Limits(poll=30.0, poll_without_bell=30.0)):
        time.sleep(0.5)
        put_at = time.monotonic()
        entries.put("parcels", [(uuid4(), uuid4())])
        assert eventually(lambda: bool(receiver.paths))

    assert receiver.arrived_at[receiver.paths[0]] - put_at < 1.0


def test_without_redis_the_poll_finds_the_work(parcels, receiver, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    with dispatching():
        time.sleep(0.5)
        entries.put("parcels", [(uuid4(), uuid4())])
        assert eventually(is_empty, within=3.0)

    assert len(receiver.paths) == 1


def test_what_is_not_committed_is_not_sent(parcels, receiver):
    with dispatching(), transaction.atomic():
        entries.put("parcels", [(uuid4(), uuid4())])
        time.sleep(0.6)
        assert receiver.paths == []
        transaction.set_rollback(True)


def test_a_retry_comes_on_time(parcels, receiver):
    parcels.judge = lambda claimed, _: Verdict(
        Decision.RETRY if claimed.attempt < 4 else Decision.DONE, after=0.2
    )
    entries.put("parcels", [(uuid4(), uuid4())])

    with dispatching(Limits(poll=5.0, poll_without_bell=5.0)):
        assert eventually(is_empty)

    waits = [
        later.started_at - earlier.started_at
        for earlier, later in zip(parcels.recorded, parcels.recorded[1:], strict=False)
    ]
    assert len(waits) == 3
    assert all(timedelta(seconds=0.2) <= wait < timedelta(seconds=0.6) for wait in waits)


def test_what_is_committed_late_is_sent_although_newer_ones_were(parcels, receiver):
    owner, late, newer = uuid4(), uuid4(), [uuid4() for _ in range(3)]
    entries.open_lane("parcels", owner)

    with dispatching(Limits(heartbeat=0.2, linger=30.0, longest_linger=30.0)):
        with transaction.atomic():
            entries.put("parcels", [(owner, late)])
            elsewhere(lambda: entries.put("parcels", [(owner, ref) for ref in newer]))
            assert eventually(lambda: len(receiver.paths) == 3)
            time.sleep(claiming.LATE_SECONDS + 0.5)
        assert eventually(is_empty)

    assert receiver.paths[-1] == f"/{late}"


def test_a_lane_is_kept_as_long_as_more_comes_and_then_given_back(parcels, receiver):
    owner, tokens = uuid4(), set()

    with dispatching(Limits(linger=0.3)):
        for _ in range(5):
            entries.put("parcels", [(owner, uuid4())])
            assert eventually(is_empty)
            tokens.add(Lane.objects.get().lease_token)
        assert Lane.objects.get().lease_until
        assert eventually(lambda: Lane.objects.get().lease_until is None, within=2.0)

    assert len(tokens) == 1


def test_a_lane_that_keeps_going_is_given_back_all_the_same(parcels, receiver):
    owner, tokens = uuid4(), set()

    with dispatching(Limits(linger=30.0, longest_linger=0.2)):
        for _ in range(5):
            entries.put("parcels", [(owner, uuid4())])
            assert eventually(is_empty)
            tokens.add(Lane.objects.get().lease_token)
            time.sleep(0.1)

    assert len(tokens) > 1


def test_lanes_that_are_kept_make_room_for_others(parcels, receiver):
    with dispatching(Limits(lanes=2, linger=30.0, longest_linger=30.0)):
        entries.put("parcels", [(uuid4(), uuid4()) for _ in range(6)])
        assert eventually(is_empty, within=3.0)

    assert len(receiver.paths) == 6


def test_hanging_receivers_hold_up_nobody_else(parcels, receiver):
    hanging, healthy = [uuid4() for _ in range(30)], [uuid4() for _ in range(10)]
    bad = {uuid4() for _ in range(300)}
    receiver.answer = lambda path: receiver.hang() if path in {f"/{ref}" for ref in bad} else 200
    entries.put("parcels", [(hanging[i % 30], ref) for i, ref in enumerate(bad)])

    with dispatching(Limits(grace=0.1)):
        assert eventually(lambda: len(receiver.paths) >= 30)
        entries.put("parcels", [(healthy[i % 10], uuid4()) for i in range(100)])
        put_at = time.monotonic()
        assert eventually(lambda: len(parcels.recorded) == 100, within=5.0)
        assert time.monotonic() - put_at < 2.0

    assert Entry.objects.count() == 300


def test_receivers_that_fail_hold_half_of_what_can_be_in_flight(parcels, receiver):
    failing = [uuid4() for _ in range(12)]
    bad = {uuid4(): owner for owner in failing}
    receiver.answer = lambda path: receiver.hang() if UUID(path.removeprefix("/")) in bad else 200
    entries.put("parcels", [(owner, ref) for ref, owner in bad.items()])
    Lane.objects.update(fail_streak=1)

    with dispatching(Limits(in_flight=8, unflushed=0, grace=0.1)):
        assert eventually(lambda: len(receiver.paths) >= 4)
        time.sleep(0.2)
        assert receiver.in_hand == 4
        entries.put("parcels", [(uuid4(), uuid4()) for _ in range(40)])
        assert eventually(lambda: len(parcels.recorded) == 40, within=5.0)


def test_a_receiver_that_hangs_on_one_entry_still_gets_the_next(parcels, receiver):
    owner, slow, quick = uuid4(), uuid4(), uuid4()
    receiver.answer = lambda path: receiver.hang() if path == f"/{slow}" else 200
    entries.put("parcels", [(owner, slow)])

    with dispatching(Limits(grace=0.1)):
        assert eventually(lambda: bool(receiver.paths))
        entries.put("parcels", [(owner, quick)])
        assert eventually(lambda: parcels.recorded_refs == [quick], within=2.0)


def test_a_lane_sends_at_most_its_width_at_once(parcels, receiver):
    def slowly(_: str) -> int:
        time.sleep(0.02)
        return 200

    receiver.answer = slowly
    owner = uuid4()
    entries.put("parcels", [(owner, uuid4()) for _ in range(80)])

    lanes.tune("parcels", owner, width=4)

    with dispatching():
        assert eventually(is_empty)

    assert receiver.most_in_hand == 4


def test_two_dispatchers_send_each_entry_once(parcels, receiver):
    refs = [uuid4() for _ in range(600)]
    owners = [uuid4() for _ in range(20)]

    with dispatching(), dispatching():
        for start in range(0, 600, 60):
            batch = refs[start : start + 60]
            entries.put("parcels", [(owners[i % 20], ref) for i, ref in enumerate(batch)])
        assert eventually(is_empty)

    assert sorted(receiver.paths) == sorted(f"/{ref}" for ref in refs)
    assert sorted(parcels.recorded_refs) == sorted(refs)


def test_a_lease_shorter_than_its_requests_is_kept_by_the_heartbeat(parcels, receiver):
    def slowly(_: str) -> int:
        time.sleep(1.5)
        return 200

    receiver.answer = slowly
    entries.put("parcels", [(uuid4(), uuid4())])
    limits = Limits(lease=timedelta(seconds=0.6), heartbeat=0.1)

    with dispatching(limits), dispatching(limits):
        assert eventually(is_empty)

    assert len(receiver.paths) == 1


def test_a_stop_waits_for_answers_and_releases_the_lanes(parcels, receiver):
    def slowly(_: str) -> int:
        time.sleep(0.5)
        return 200

    receiver.answer = slowly
    entries.put("parcels", [(uuid4(), uuid4()) for _ in range(3)])

    with dispatching():
        assert eventually(lambda: len(receiver.paths) == 3)

    assert len(parcels.recorded) == 3
    assert not Lane.objects.exclude(lease_until=None).exists()


def test_a_stop_gives_up_what_hangs_and_keeps_its_entry(parcels, receiver):
    receiver.answer = receiver.hang
    entries.put("parcels", [(uuid4(), uuid4())])

    with dispatching(Limits(grace=0.2)) as dispatcher:
        assert eventually(lambda: bool(receiver.paths))
        stopped_at = time.monotonic()
        dispatcher.stop()
        assert time.monotonic() - stopped_at < 2.0

    assert Entry.objects.get().attempts == 0
    assert Lane.objects.get().lease_until is None


def test_a_lost_database_connection_is_made_anew(parcels, receiver):
    with dispatching():
        entries.put("parcels", [(uuid4(), uuid4())])
        assert eventually(is_empty)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        entries.put("parcels", [(uuid4(), uuid4()) for _ in range(20)])
        assert eventually(is_empty)

    assert len(parcels.recorded) == 21


def test_an_idle_dispatcher_looks_at_most_five_times_a_second(parcels):
    with dispatching():
        time.sleep(1.0)

        looked_at = moments_of_looking(seconds=3.0)

    assert 0 < len(looked_at) <= 5 * 3 + 1


def moments_of_looking(*, seconds: float) -> set[datetime]:
    """When the server was asked for lanes: seen in what it does at the moment, its counters come late."""
    seen: set[datetime] = set()
    end = time.monotonic() + seconds
    with connection.cursor() as cursor:
        while time.monotonic() < end:
            cursor.execute(
                "SELECT query_start FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND query LIKE '%WITH RECURSIVE clock%'"
            )
            seen.update(moment for (moment,) in cursor.fetchall())
            time.sleep(0.01)
    return seen
