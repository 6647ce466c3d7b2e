"""Putting entries in the outbox: in the transaction of their cause, so that both happen or neither."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Model

from outbox import bell, statements
from outbox.models import Priority

# What has a lane goes in and the rest comes back: one snapshot, so nothing can fall between the two.
_WISHES = """
    wanted AS (
        SELECT wish.owner, wish.ref, lane.id AS lane_id
        FROM wish LEFT JOIN outbox_lane lane
            ON lane.kind = %s AND lane.owner = wish.owner AND lane.retired_at IS NULL
    ), put AS (
        INSERT INTO outbox_entry (lane_id, ref, priority, next_at, attempts, created_at)
        SELECT
            lane_id, ref, %s,
            coalesce(%s::timestamptz, statement_timestamp() + make_interval(secs => %s)),
            0, statement_timestamp()
        FROM wanted WHERE lane_id IS NOT NULL
    )
"""

PUT = f"""
    WITH wish (owner, ref) AS (SELECT * FROM unnest(%s::uuid[], %s::uuid[])), {_WISHES}
    SELECT owner, ref FROM wanted WHERE lane_id IS NULL
"""  # noqa: S608 -- our own text

PUT_FOUND = f"""
    WITH found (owner, is_wanted) AS MATERIALIZED ({{question}}), subject AS ({{insertion}}),
    wish (owner, ref) AS (SELECT owner, %s::uuid FROM found WHERE is_wanted), {_WISHES}
    SELECT wanted.ref IS NOT NULL AND wanted.lane_id IS NULL, found.*
    FROM found LEFT JOIN wanted USING (owner)
"""  # noqa: S608 -- our own text

# Sorted, so that two transactions opening the same lanes wait for each other in the same order. A retired lane is
# taken back into service, unless it goes at this very moment: then it is opened anew.
OPEN = """
    INSERT INTO outbox_lane (kind, owner, lease_token, fail_streak)
    SELECT DISTINCT %(kind)s, owner, 0, 0 FROM unnest(%(owners)s::uuid[]) AS wish (owner) ORDER BY owner
    ON CONFLICT (kind, owner) DO UPDATE SET retired_at = NULL WHERE outbox_lane.retired_at IS NOT NULL
"""

CLOSE = """
    WITH closed AS (DELETE FROM outbox_lane WHERE kind = %(kind)s AND owner = %(owner)s RETURNING id)
    DELETE FROM outbox_entry USING closed WHERE lane_id = closed.id
"""


def put(
    kind: str,
    entries: Iterable[tuple[UUID, UUID]],
    *,
    delay: float = 0.0,
    due_at: datetime | None = None,
    urgent: bool = False,
    beside: Sequence[Model] = (),
) -> None:
    """Put one entry for each (owner, ref), due after `delay` seconds or at `due_at`; rings after the commit.

    An owner's lane is opened by its first entry. Urgent ones go before all others of their lane. New rows that
    stand `beside`, such as what the refs name, are inserted in the same round trip.
    """
    wishes = list(entries)
    if not (wishes or beside):
        return
    how = [kind, Priority.URGENT if urgent else Priority.NORMAL, due_at, delay]
    with transaction.atomic(savepoint=False):
        missing = statements.run_beside(beside, PUT, [*_columns(wishes), *how])
        while missing:
            _open(kind, missing)
            missing = statements.run(PUT, [*_columns(missing), *how])
        transaction.on_commit(bell.ring, robust=True)


def put_found(
    kind: str, question: str, terms: Sequence[Any], *, subject: Model, ref: UUID
) -> list[list[Any]]:
    """Put one entry for each owner that a question finds, and insert what it is about beside them.

    The question is a query whose first columns are an owner and whether it gets an entry; all rows of those who
    get none are given back. Where nobody is found nothing is written. One round trip, as long as all have lanes.
    """
    statement = _put_found(question, type(subject))
    how = [kind, Priority.NORMAL, None, 0.0]
    with transaction.atomic(savepoint=False):
        rows = statements.run(statement, [*terms, *statements.values(subject), ref, *how])
        put(kind, [(owner, ref) for is_missing, owner, *_ in rows if is_missing])
        if rows:
            transaction.on_commit(bell.ring, robust=True)
    return [row for _, *row in rows if not row[1]]


@cache
def _put_found(question: str, subject: type[Model]) -> str:
    insertion = statements.insertion(subject, provided="EXISTS (SELECT FROM found)")
    return PUT_FOUND.format(question=question, insertion=insertion)


def _columns(entries: Sequence[tuple[UUID, UUID]]) -> tuple[list[UUID], list[UUID]]:
    return [owner for owner, _ in entries], [ref for _, ref in entries]


def _open(kind: str, entries: Sequence[tuple[UUID, UUID]]) -> None:
    statements.run(OPEN, {"kind": kind, "owners": _columns(entries)[0]})


def open_lane(kind: str, owner: UUID) -> None:
    """Open an owner's lane ahead of its first entry, so that no two transactions wait for each other to open it."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN, {"kind": kind, "owners": [owner]})


def close(kind: str, owner: UUID) -> None:
    """Remove an owner's lane and all its entries, because the owner goes. A try under way is not recorded."""
    with connection.cursor() as cursor:
        cursor.execute(CLOSE, {"kind": kind, "owner": owner})
