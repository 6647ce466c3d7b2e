"""Claiming lanes: who holds one, until when, and what is due in it. Every moment is the database's clock."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from outbox import statements
from outbox.dispatching.health import Health
from outbox.kinds import Claimed
from outbox.models import Priority

Terms = dict[str, Any]  # of a statement, by name

# Hops from one (lane, priority) to the next, so a backlog of a million costs what one entry does. The first
# entry of each is its earliest: that tells what is due and when to look again.
CLAIM = """
    WITH RECURSIVE clock AS MATERIALIZED (
        SELECT clock_timestamp() + %(ahead)s AS now
    ), head AS (
        (SELECT lane_id, priority, next_at FROM outbox_entry ORDER BY lane_id, priority, next_at LIMIT 1)
        UNION ALL
        SELECT following.* FROM head CROSS JOIN LATERAL (
            SELECT lane_id, priority, next_at FROM outbox_entry
            WHERE (lane_id, priority) > (head.lane_id, head.priority)
            ORDER BY lane_id, priority, next_at LIMIT 1
        ) following
    ), waiting AS (
        SELECT lane.id, greatest(min(head.next_at), lane.paused_until) AS due_at
        FROM head JOIN outbox_lane lane ON lane.id = head.lane_id
        WHERE lane.kind = ANY(%(kinds)s)
        GROUP BY lane.id
    ), free AS (
        SELECT lane.id
        FROM outbox_lane lane JOIN waiting USING (id), clock
        WHERE waiting.due_at <= now
            AND coalesce(lane.paused_until <= now, TRUE)
            AND coalesce(lane.lease_until <= now, TRUE)
        ORDER BY lane.last_served_at NULLS FIRST
        LIMIT %(limit)s
        FOR UPDATE OF lane SKIP LOCKED
    ), claimed AS (
        UPDATE outbox_lane lane
        SET lease_token = nextval('outbox_fencing_token'), lease_until = now + %(lease)s
        FROM free, clock
        WHERE lane.id = free.id
        RETURNING lane.id, lane.kind, lane.owner, lane.lease_token, lane.width, lane.is_ordered,
            lane.paused_until, lane.fail_streak, lane.strain, lane.failed_entries, lane.trips,
            lane.narrowed_to, lane.usual_seconds
    )
    SELECT clock.now, (SELECT min(due_at) FROM waiting WHERE due_at > clock.now), claimed.*
    FROM clock LEFT JOIN claimed ON TRUE
"""

# Range scans, one for each lane and priority. A lane that was lost meanwhile gives nothing. An entry that comes
# back in an ordered lane has kept its moment, which is its place; it became due when the lane's pause ended.
DUE = """
    SELECT
        lane.id, entry.id, lane.owner, entry.ref, entry.attempts + 1,
        extract(epoch FROM entry.created_at)::float8,
        extract(epoch FROM CASE
            WHEN lane.is_ordered THEN greatest(entry.next_at, lane.paused_until) ELSE entry.next_at
        END)::float8
    FROM unnest(%(lanes)s::bigint[], %(tokens)s::bigint[], %(limits)s::int[]) AS held (id, token, wanted)
    JOIN outbox_lane lane ON lane.id = held.id AND lane.lease_token = held.token
    CROSS JOIN unnest(%(priorities)s::smallint[]) AS level (priority)
    CROSS JOIN LATERAL (
        SELECT id, ref, attempts, created_at, next_at FROM outbox_entry
        WHERE lane_id = lane.id AND priority = level.priority AND next_at <= %(now)s
        ORDER BY next_at, id LIMIT held.wanted
    ) entry
    ORDER BY level.priority, entry.next_at, entry.id
"""

# A released lane keeps its token: a beat that was under way meanwhile must not hold it for nobody. Locks in the
# order of the flush, which may run at the same moment, or each would wait for the other.
RENEW = """
    WITH held AS MATERIALIZED (
        SELECT lane.id
        FROM unnest(%(lanes)s::bigint[], %(tokens)s::bigint[]) AS claimed (id, token)
        JOIN outbox_lane lane ON lane.id = claimed.id AND lane.lease_token = claimed.token
        WHERE lane.lease_until IS NOT NULL
        ORDER BY lane.id FOR NO KEY UPDATE OF lane
    )
    UPDATE outbox_lane lane SET lease_until = %(now)s + %(lease)s
    FROM held WHERE lane.id = held.id
    RETURNING lane.id
"""

RELEASE = """
    UPDATE outbox_lane lane SET lease_until = NULL, last_served_at = %(now)s
    FROM unnest(%(lanes)s::bigint[], %(tokens)s::bigint[]) AS held (id, token)
    WHERE lane.id = held.id AND lane.lease_token = held.token
"""


@dataclass(slots=True, eq=False)
class Lease:
    """A lane that is held. Only who shows its token may write to the lane or its entries."""

    lane_id: int
    kind: str
    owner: UUID
    token: int
    health: Health  # the holder's; each flush brings it up to date


@dataclass(frozen=True, slots=True)
class Survey:
    """What one look at the outbox found."""

    now: datetime
    leases: Sequence[Lease]
    next_due_at: datetime | None  # the earliest moment after `now` at which a lane has something to send


def claim(*, kinds: Collection[str], limit: int, lease: timedelta, ahead: timedelta = timedelta(0)) -> Survey:
    """Take at most `limit` lanes that have something due, the longest unserved first.

    `ahead` puts the clock forward, for a drain that does not wait.
    """
    terms: Terms = {"kinds": list(kinds), "limit": limit, "lease": lease, "ahead": ahead}
    rows = statements.run(CLAIM, terms)
    now, next_due_at = rows[0][:2]
    return Survey(now, [_lease(*row[2:]) for row in rows if row[2] is not None], next_due_at)


def due(wanted: Sequence[tuple[Lease, int]], *, now: datetime) -> dict[int, list[Claimed]]:
    """By lane id the entries that are due, at most as many as asked for, in the order they are to be sent."""
    terms: Terms = {
        **_held([lease for lease, _ in wanted]),
        "limits": [limit for _, limit in wanted],
        "priorities": Priority.values,
        "now": now,
    }
    found: dict[int, list[Claimed]] = {lease.lane_id: [] for lease, _ in wanted}
    for lane_id, entry_id, owner, ref, attempt, created_at, due_at in statements.run(DUE, terms):
        # As numbers: a page is read often, and reading moments costs more than the rest of it.
        moments = datetime.fromtimestamp(created_at, UTC), datetime.fromtimestamp(due_at, UTC)
        found[lane_id].append(Claimed(entry_id, owner, ref, attempt, *moments))
    return {lease.lane_id: found[lease.lane_id][:limit] for lease, limit in wanted}


def renew(leases: Sequence[Lease], *, now: datetime, lease: timedelta) -> set[int]:
    """Hold the lanes for another `lease`; gives the ids of those that are still held."""
    with connection.cursor() as cursor:
        cursor.execute(RENEW, _held(leases) | {"now": now, "lease": lease})
        return {lane_id for (lane_id,) in cursor.fetchall()}


def release(leases: Sequence[Lease], *, now: datetime) -> None:
    """Give the lanes back to whoever claims next."""
    with connection.cursor() as cursor:
        cursor.execute(RELEASE, _held(leases) | {"now": now})


def _lease(lane_id: int, kind: str, owner: UUID, token: int, *health: Any) -> Lease:
    width, is_ordered, paused_until, fail_streak, strain, failed, trips, narrowed_to, usual_seconds = health
    known = Health(
        width=width,
        is_ordered=is_ordered,
        paused_until=paused_until,
        fail_streak=fail_streak,
        strain=strain,
        failed=tuple(failed),
        trips=trips,
        narrowed_to=narrowed_to,
        usual_seconds=usual_seconds,
    )
    return Lease(lane_id, kind, owner, token, known)


def _held(leases: Sequence[Lease]) -> Terms:
    return {"lanes": [lease.lane_id for lease in leases], "tokens": [lease.token for lease in leases]}
