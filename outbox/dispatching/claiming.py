"""Claiming lanes: who holds one, until when, and what is due in it. Every moment is the database's clock."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection

from outbox import statements
from outbox.dispatching.health import Health
from outbox.kinds import Claimed
from outbox.models import Priority

Terms = dict[str, Any]  # of a statement, by name

LAST_ID: Final = 2**63 - 1
MOST_NEW: Final = 10_000  # entries that one look reads by their ids
NO_FLOOR: Final = -math.inf
LATE_SECONDS: Final = 2.0  # between putting an entry and committing it; who takes longer waits for a renewal

# Hops from one (lane, priority) to the next, so a backlog of a million costs what one entry does. The first
# entry of each is its earliest: that tells what is due and when to look again. What is new comes by its ids, as
# hops step over all that has left and cannot be cleaned away yet.
CLAIM = """
    WITH RECURSIVE clock AS MATERIALIZED (
        SELECT clock_timestamp() + %(ahead)s AS now
    ), hop AS (
        SELECT %(after)s::bigint AS lane_id, 32767::smallint AS priority, NULL::timestamptz AS next_at
        UNION ALL
        SELECT following.* FROM hop CROSS JOIN LATERAL (
            SELECT lane_id, priority, next_at FROM outbox_entry
            WHERE (lane_id, priority) > (hop.lane_id, hop.priority) AND lane_id <= %(until)s
            ORDER BY lane_id, priority, next_at LIMIT 1
        ) following
    ), fresh AS (
        SELECT lane_id, next_at FROM outbox_entry WHERE id > %(newer_than)s ORDER BY id LIMIT %(most)s
    ), head AS (
        SELECT lane_id, next_at FROM hop WHERE next_at IS NOT NULL
        UNION ALL
        SELECT lane_id, min(next_at) FROM fresh GROUP BY lane_id
    ), waiting AS (
        SELECT lane.id, greatest(min(head.next_at), lane.paused_until) AS due_at, lane.lease_until
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
    SELECT
        clock.now,
        (SELECT min(due_at) FROM waiting WHERE due_at > clock.now),
        ARRAY(SELECT id FROM waiting WHERE due_at <= clock.now AND lease_until > clock.now),
        (SELECT last_value FROM outbox_entry_id_seq),
        (SELECT max(id) FROM outbox_lane),
        claimed.*
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
    FROM unnest(%(lanes)s::bigint[], %(tokens)s::bigint[], %(limits)s::int[], %(floors)s::float8[])
        AS held (id, token, wanted, floor)
    JOIN outbox_lane lane ON lane.id = held.id AND lane.lease_token = held.token
    CROSS JOIN unnest(%(priorities)s::smallint[]) AS level (priority)
    CROSS JOIN LATERAL (
        SELECT id, ref, attempts, created_at, next_at FROM outbox_entry
        WHERE lane_id = lane.id AND priority = level.priority
            AND next_at >= to_timestamp(held.floor) AND next_at <= %(now)s
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
    floor: float = NO_FLOOR  # nothing that was due before this moment is left; each page brings it up to date


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a look sees: entries with a greater id than `newer_than`, and all of the lanes from `after` to `until`."""

    newer_than: int
    after: int
    until: int


EVERYWHERE: Final = Stretch(newer_than=LAST_ID, after=0, until=LAST_ID)


@dataclass(frozen=True, slots=True)
class Survey:
    """What one look at the outbox found."""

    now: datetime
    leases: Sequence[Lease]
    next_due_at: datetime | None  # the earliest moment after `now` at which a lane has something to send
    busy: frozenset[int]  # the lanes that have something due and are held already
    newest: int  # the id that an entry was given last
    last_lane: int
    seconds: float  # that it took


def claim(
    *,
    kinds: Collection[str],
    limit: int,
    lease: timedelta,
    ahead: timedelta = timedelta(0),
    stretch: Stretch = EVERYWHERE,
) -> Survey:
    """Take at most `limit` lanes that have something due, the longest unserved first.

    `ahead` puts the clock forward, for a drain that does not wait.
    """
    began_at = time.monotonic()
    terms: Terms = {
        "kinds": list(kinds),
        "limit": limit,
        "lease": lease,
        "ahead": ahead,
        "newer_than": stretch.newer_than,
        "most": MOST_NEW,
        "after": stretch.after,
        "until": stretch.until,
    }
    rows = statements.run(CLAIM, terms)
    now, next_due_at, busy, newest, last_lane = rows[0][:5]
    leases = [_lease(*row[5:]) for row in rows if row[5] is not None]
    seconds = time.monotonic() - began_at
    return Survey(now, leases, next_due_at, frozenset(busy), newest, last_lane or 0, seconds)


def due(wanted: Sequence[tuple[Lease, int]], *, now: datetime) -> dict[int, list[Claimed]]:
    """By lane id the entries that are due, at most as many as asked for, in the order they are to be sent.

    The next page of a lane begins where this one found the first, and a little before that: what has left the
    lane is not read again, even as long as it cannot be cleaned away.
    """
    terms: Terms = {
        **_held([lease for lease, _ in wanted]),
        "limits": [limit for _, limit in wanted],
        "floors": [lease.floor for lease, _ in wanted],
        "priorities": Priority.values,
        "now": now,
    }
    found: dict[int, list[Claimed]] = {lease.lane_id: [] for lease, _ in wanted}
    failing = {lease.lane_id for lease, _ in wanted if lease.health.trips}
    earliest = dict.fromkeys(found, now.timestamp())
    for lane_id, entry_id, owner, ref, attempt, created_at, due_at in statements.run(DUE, terms):
        # As numbers: a page is read often, and reading moments costs more than the rest of it.
        moments = datetime.fromtimestamp(created_at, UTC), datetime.fromtimestamp(due_at, UTC)
        found[lane_id].append(Claimed(entry_id, owner, ref, attempt, *moments, lane_id in failing))
        earliest[lane_id] = min(earliest[lane_id], due_at)
    for lease, _ in wanted:
        # An ordered lane is read from its beginning: nothing overtakes what was committed late.
        lease.floor = NO_FLOOR if lease.health.is_ordered else earliest[lease.lane_id] - LATE_SECONDS
    return {lease.lane_id: found[lease.lane_id][:limit] for lease, limit in wanted}


def renew(leases: Sequence[Lease], *, now: datetime, lease: timedelta) -> set[int]:
    """Hold the lanes for another `lease`; gives the ids of those that are still held.

    Their next pages begin at the beginning, for the sake of what was committed late.
    """
    for held in leases:
        held.floor = NO_FLOOR
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
