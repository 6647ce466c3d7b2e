"""Entries are put with their cause, or not at all."""

from __future__ import annotations

import threading
from uuid import uuid4

import pytest
from django.db import connection, transaction

from outbox import entries, tasks
from outbox.models import Entry, Lane

FOUND = "SELECT owner, owner = ANY(%s::uuid[]), 'as it was found' FROM unnest(%s::uuid[]) AS asked (owner)"


@pytest.mark.django_db
def test_the_first_entry_of_an_owner_opens_its_lane():
    owner, other = uuid4(), uuid4()
    refs = [uuid4() for _ in range(4)]

    entries.put("parcels", [(owner, refs[0]), (owner, refs[1]), (other, refs[2])])
    entries.put("parcels", [(owner, refs[3])])

    assert Lane.objects.count() == 2
    assert set(Entry.objects.filter(lane__owner=owner).values_list("ref", flat=True)) == {*refs[:2], refs[3]}


@pytest.mark.django_db
def test_an_owner_has_a_lane_for_each_kind():
    owner = uuid4()

    entries.put("parcels", [(owner, uuid4())])
    entries.put("letters", [(owner, uuid4())])

    assert sorted(Entry.objects.values_list("lane__kind", flat=True)) == ["letters", "parcels"]


@pytest.mark.django_db
def test_a_known_lane_costs_one_statement(django_assert_num_queries):
    owner = uuid4()
    entries.put("parcels", [(owner, uuid4())])

    with django_assert_num_queries(1):
        entries.put("parcels", [(owner, uuid4()) for _ in range(5)])


@pytest.mark.django_db
def test_what_the_refs_name_is_inserted_in_the_same_statement(django_assert_num_queries):
    owner, named = uuid4(), Lane(kind="letters", owner=uuid4())
    entries.open_lane("parcels", owner)

    with django_assert_num_queries(1):
        entries.put("parcels", [(owner, named.owner)], beside=[named])

    assert Entry.objects.get().ref == named.owner
    assert Lane.objects.filter(kind="letters", owner=named.owner).exists()


@pytest.mark.django_db
def test_whoever_a_question_finds_gets_an_entry_in_the_same_statement(django_assert_num_queries):
    asking, other = uuid4(), uuid4()
    entries.open_lane("parcels", asking)
    named = Lane(kind="letters", owner=uuid4())

    with django_assert_num_queries(1):
        rest = entries.put_found(
            "parcels", FOUND, [[asking], [asking, other]], subject=named, ref=named.owner
        )

    assert rest == [[other, False, "as it was found"]]
    assert Entry.objects.get().lane.owner == asking
    assert Entry.objects.get().ref == Lane.objects.get(kind="letters").owner


@pytest.mark.django_db
def test_whoever_a_question_finds_needs_no_lane():
    owners = [uuid4(), uuid4()]
    entries.open_lane("parcels", owners[0])
    named = Lane(kind="letters", owner=uuid4())

    entries.put_found("parcels", FOUND, [owners, owners], subject=named, ref=named.owner)

    assert set(Entry.objects.values_list("lane__owner", flat=True)) == set(owners)
    assert Lane.objects.filter(kind="letters").count() == 1


@pytest.mark.django_db
def test_where_a_question_finds_nobody_nothing_is_written():
    named = Lane(kind="letters", owner=uuid4())

    entries.put_found("parcels", FOUND, [[], []], subject=named, ref=named.owner)

    assert not Lane.objects.exists()
    assert not Entry.objects.exists()


@pytest.mark.django_db
def test_what_is_put_in_a_transaction_that_fails_was_never_put():
    with transaction.atomic():
        entries.put("parcels", [(uuid4(), uuid4())])
        transaction.set_rollback(True)

    assert not Entry.objects.exists()
    assert not Lane.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_writers_who_open_the_same_lanes_at_once_lose_nothing():
    owners = [uuid4() for _ in range(10)]
    start = threading.Barrier(6)

    def write() -> None:
        start.wait()
        for owner in owners:
            entries.put("parcels", [(owner, uuid4())])
        connection.close()

    writers = [threading.Thread(target=write) for _ in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert Lane.objects.count() == 10
    assert Entry.objects.count() == 60


@pytest.mark.django_db
def test_a_closed_lane_takes_its_entries_with_it():
    owner, other = uuid4(), uuid4()
    entries.put("parcels", [(owner, uuid4()), (other, uuid4())])

    entries.close("parcels", owner)

    assert list(Lane.objects.values_list("owner", flat=True)) == [other]
    assert Entry.objects.count() == 1


@pytest.mark.django_db
def test_an_entry_that_outlived_its_lane_is_swept():
    kept, closed = uuid4(), uuid4()
    entries.put("parcels", [(kept, uuid4()), (closed, uuid4())])
    Lane.objects.filter(owner=closed).delete()

    tasks.sweep()

    assert list(Entry.objects.values_list("lane__owner", flat=True)) == [kept]
