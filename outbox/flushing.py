"""Flushing: what became of a batch of tries is written in one transaction, fenced by its lanes' tokens."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from django.db import connection, transaction

from outbox import kinds
from outbox.claiming import Terms
from outbox.settlements import Settlement, Tally, poisoned

logger = logging.getLogger(__name__)

# Locks the lanes, always in the same order, until the end of the flush: nobody claims one meanwhile. A lane
# that does not match is not held any more: another dispatcher sends its entries, this result leaves no trace.
FENCE = """
    SELECT lane.id
    FROM outbox_lane lane
    JOIN unnest(%(lanes)s::bigint[], %(tokens)s::bigint[]) AS held (id, token) USING (id)
    WHERE lane.lease_token = held.token
    ORDER BY lane.id FOR NO KEY UPDATE OF lane
"""

REMEMBER = """
    UPDATE outbox_lane lane SET
        paused_until = greatest(lane.paused_until, tally.paused_until),
        fail_streak = CASE WHEN tally.succeeded THEN 0 ELSE lane.fail_streak END + tally.failures
    FROM unnest(%(lanes)s::bigint[], %(pauses)s::timestamptz[], %(successes)s::bool[], %(failures)s::int[])
        AS tally (id, paused_until, succeeded, failures)
    WHERE lane.id = tally.id
        AND (lane.fail_streak > 0 OR tally.failures > 0 OR tally.paused_until IS NOT NULL)
"""

WRITE = """
    WITH settled AS (
        SELECT * FROM unnest(%(entries)s::bigint[], %(nexts)s::timestamptz[]) AS settled (id, next_at)
    ), gone AS (
        DELETE FROM outbox_entry entry USING settled
        WHERE entry.id = settled.id AND settled.next_at IS NULL
        RETURNING entry.id
    ), kept AS (
        UPDATE outbox_entry entry SET next_at = settled.next_at, attempts = attempts + 1
        FROM settled WHERE entry.id = settled.id AND settled.next_at IS NOT NULL
        RETURNING entry.id
    )
    SELECT id FROM gone UNION ALL SELECT id FROM kept
"""


@transaction.atomic
def flush(settlements: Sequence[Settlement], *, now: datetime) -> None:
    """Write them all. One that its kind cannot record is put back for later and costs the others nothing."""
    own = _fence(settlements)
    if len(own) < len(settlements):
        logger.warning("%d tries came too late and were fenced", len(settlements) - len(own))
    _remember(own)
    by_kind = attrgetter("lease.kind")
    for kind, group in groupby(sorted(own, key=by_kind), key=by_kind):
        _settle(kind, list(group), now=now)


def _fence(settlements: Sequence[Settlement]) -> list[Settlement]:
    """Those whose lane is still held."""
    tokens = {settlement.lease.lane_id: settlement.lease.token for settlement in settlements}
    # A lane claimed twice by this process may come with an old token beside the new one: the new one counts.
    for settlement in settlements:
        lane_id = settlement.lease.lane_id
        tokens[lane_id] = max(tokens[lane_id], settlement.lease.token)
    with connection.cursor() as cursor:
        cursor.execute(FENCE, {"lanes": list(tokens), "tokens": list(tokens.values())})
        held = {(lane_id, tokens[lane_id]) for (lane_id,) in cursor.fetchall()}
    return [s for s in settlements if (s.lease.lane_id, s.lease.token) in held]


def _settle(kind: str, settlements: Sequence[Settlement], *, now: datetime) -> None:
    try:
        _write_and_record(kind, settlements)
    except Exception:
        if connection.needs_rollback:  # the database went away: no record is to blame
            raise
        if len(settlements) > 1:
            for settlement in settlements:
                _settle(kind, [settlement], now=now)
            return
        (settlement,) = settlements
        logger.exception("%s cannot record entry %s: it comes back later", kind, settlement.claimed.id)
        _write_and_record(kind, [poisoned(settlement.lease, settlement.claimed, now=now)])


@transaction.atomic
def _write_and_record(kind: str, settlements: Sequence[Settlement]) -> None:
    written = _write(settlements)
    results = [s.result for s in settlements if s.result and s.claimed.id in written]
    if results:
        kinds.registered()[kind].record(results)
    connection.validate_no_broken_transaction()  # else a swallowed error would undo this in silence


def _write(settlements: Sequence[Settlement]) -> set[int]:
    """Delete or put back the entries; gives the ids of those that were still there."""
    terms: Terms = {
        "entries": [settlement.claimed.id for settlement in settlements],
        "nexts": [settlement.next_at for settlement in settlements],
    }
    with connection.cursor() as cursor:
        cursor.execute(WRITE, terms)
        return {entry_id for (entry_id,) in cursor.fetchall()}


def _remember(settlements: Sequence[Settlement]) -> None:
    """Keep in the lanes how their receivers did: the streak of failures, and how long they rest."""
    tallies: dict[int, Tally] = {}
    for settlement in settlements:
        if settlement.result:
            tallies.setdefault(settlement.lease.lane_id, Tally()).add(settlement)
    if not tallies:
        return
    terms: Terms = {
        "lanes": list(tallies),
        "pauses": [tally.paused_until for tally in tallies.values()],
        "successes": [tally.succeeded for tally in tallies.values()],
        "failures": [tally.failures for tally in tallies.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(REMEMBER, terms)
