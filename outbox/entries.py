"""Putting entries in the outbox: in the transaction of their cause, so that both happen or neither."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from outbox import bell, statements
from outbox.models import Priority

# What has a lane goes in and the rest comes back: one snapshot, so nothing can fall between the two.
PUT = """
    WITH wanted AS (
        SELECT wish.owner, wish.ref, lane.id AS lane_id
        FROM unnest(%(owners)s::uuid[], %(refs)s::uuid[]) AS wish (owner, ref)
        LEFT JOIN outbox_lane lane
            ON lane.kind = %(kind)s AND lane.owner = wish.owner AND lane.retired_at IS NULL
    ), put AS (
        INSERT INTO outbox_entry (lane_id, ref, priority, next_at, attempts, created_at)
        SELECT
            lane_id, ref, %(priority)s,
            coalesce(%(due_at)s::timestamptz, statement_timestamp() + make_interval(secs => %(delay)s)),
            0, statement_timestamp()
        FROM wanted WHERE lane_id IS NOT NULL
    )
    SELECT owner, ref FROM wanted WHERE lane_id IS NULL
"""

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
) -> None:
    """Put one entry for each (owner, ref), due after `delay` seconds or at `due_at`; rings after the commit.

    An owner's lane is opened by its first entry. Urgent ones go before all others of their lane.
    """
    missing: Sequence[tuple[UUID, UUID]] = list(entries)
    if not missing:
        return
    terms = {
        "kind": kind,
        "delay": delay,
        "due_at": due_at,
        "priority": Priority.URGENT if urgent else Priority.NORMAL,
    }
    with transaction.atomic(savepoint=False):
        while missing := _put(missing, terms):
            statements.run(OPEN, {"kind": kind, "owners": [owner for owner, _ in missing]})
        transaction.on_commit(bell.ring, robust=True)


def _put(entries: Sequence[tuple[UUID, UUID]], terms: dict[str, Any]) -> Sequence[tuple[UUID, UUID]]:
    """Put those whose owner has a lane; gives back the others."""
    owners, refs = zip(*entries, strict=True)
    return statements.run(PUT, {**terms, "owners": list(owners), "refs": list(refs)})


def open_lane(kind: str, owner: UUID) -> None:
    """Open an owner's lane ahead of its first entry, so that no two transactions wait for each other to open it."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN, {"kind": kind, "owners": [owner]})


def close(kind: str, owner: UUID) -> None:
    """Remove an owner's lane and all its entries, because the owner goes. A try under way is not recorded."""
    with connection.cursor() as cursor:
        cursor.execute(CLOSE, {"kind": kind, "owner": owner})
