"""Statements that run with every message are prepared, and rows of several tables are inserted in one round trip."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from outbox import statements
from outbox.models import Entry, Lane

pytestmark = pytest.mark.django_db


def make_entry(lane_id=1):
    return Entry(lane_id=lane_id, ref=uuid4(), next_at=timezone.now(), created_at=timezone.now())


def test_rows_of_several_tables_are_inserted_in_one_statement(django_assert_num_queries):
    lane, entries = Lane(kind="parcels", owner=uuid4()), [make_entry(), make_entry()]

    with django_assert_num_queries(1):
        statements.insert(lane, *entries)

    assert Lane.objects.get().owner == lane.owner
    assert set(Entry.objects.values_list("ref", flat=True)) == {entry.ref for entry in entries}


def test_rows_are_inserted_all_or_none():
    owner = uuid4()

    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute("SAVEPOINT before")
        statements.insert(make_entry(), Lane(kind="parcels", owner=owner), Lane(kind="parcels", owner=owner))

    with connection.cursor() as cursor:
        cursor.execute("ROLLBACK TO before")
    assert not Entry.objects.exists()


def test_the_server_keeps_a_statement_for_the_next_time():
    statements.run("SELECT kind, owner FROM outbox_lane WHERE kind = %(kind)s", {"kind": "parcels"})

    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        kept = [statement for (statement,) in cursor.fetchall()]

    assert "SELECT kind, owner FROM outbox_lane WHERE kind = $1" in kept


def test_bytes_come_as_they_are_beside_what_every_row_has():
    id_, said = uuid4(), bytes(range(256))

    rows = statements.run_for_bytes(
        "SELECT %s::uuid, %b::bytea, %s::text, %s::bigint", [id_, said, "é", 2**40]
    )

    assert rows == [(id_, said, "é", 2**40)]


def test_a_statement_without_rows_gives_none():
    assert statements.run("UPDATE outbox_lane SET fail_streak = 0 WHERE kind = %s", ["nobody's"]) == []
