"""What the queue's indexes grew to while nothing could be cleaned away, they give back."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection

from outbox import shrinking, tasks

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 30_000


@pytest.fixture
def somebody_else() -> Iterator[psycopg.Connection]:
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        yield other


def put(count: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO outbox_entry (lane_id, ref, priority, next_at, attempts, created_at)
            SELECT n %% 100, gen_random_uuid(), 1, now(), 0, now() FROM generate_series(1, %s) AS n
            """,
            [count],
        )


def come_and_go(count: int) -> None:
    put(count)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM outbox_entry")


def size(index: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(%s::regclass)", [index])
        return int(cursor.fetchone()[0])


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename IN ('outbox_entry', 'outbox_lane')")
        return {name for (name,) in cursor.fetchall()}


def test_indexes_that_grew_far_beyond_the_queue_are_made_anew(caplog):
    come_and_go(MANY)
    put(10)

    with caplog.at_level(logging.INFO, "outbox"):
        assert shrinking.shrink() == ["outbox_entry_due"]

    assert size("outbox_entry_due") < shrinking.SMALL / 10
    assert "outbox_entry_due took" in caplog.text
    assert shrinking.shrink() == []


def test_indexes_that_are_small_or_full_are_left_alone():
    come_and_go(100)
    assert shrinking.shrink() == []

    put(MANY)

    assert shrinking.shrink() == []


def test_what_a_snapshot_still_sees_is_left_until_it_has_gone(somebody_else):
    put(MANY)
    somebody_else.execute("SELECT FROM outbox_lane")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM outbox_entry")

    before = indexes()
    assert shrinking.shrink() == []
    assert indexes() == before
    somebody_else.rollback()

    assert shrinking.shrink() == ["outbox_entry_due"]


def test_one_process_shrinks_at_a_time(somebody_else):
    come_and_go(MANY)
    somebody_else.execute("SELECT pg_advisory_lock(hashtextextended('outbox.shrinking', 0))")

    tasks.shrink()

    assert size("outbox_entry_due") > shrinking.SMALL


@pytest.mark.long
def test_an_index_that_cannot_be_made_anew_now_leaves_nothing_half_done(somebody_else, caplog):
    come_and_go(MANY)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM outbox_entry")
    somebody_else.execute("SELECT FROM outbox_entry LIMIT 1")

    before = indexes()
    with caplog.at_level(logging.INFO, "outbox"):
        assert shrinking.shrink() == []
    somebody_else.rollback()
    assert "REINDEX INDEX CONCURRENTLY outbox_entry_due: not now" in caplog.text

    assert shrinking.shrink() == ["outbox_entry_due"]
    assert indexes() == before
