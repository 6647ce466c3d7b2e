"""Flushing: what became of a batch of tries is written in one transaction, fenced by its lanes' tokens."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

import orjson
from django.db import connection, transaction

from outbox import kinds, measuring, statements
from outbox.dispatching.claiming import Lease
from outbox.dispatching.database import Broken, unbroken
from outbox.dispatching.health import Health
from outbox.dispatching.settlements import Settlement, poisoned
from outbox.kinds import Breaker, Guarded

logger = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=30)

# Locks the lanes, always in the same order, until the end of the flush: nobody claims one meanwhile. A lane
# that does not match is not held any more: another dispatcher sends its entries, this result leaves no trace.
# By arrays of ids, or the planner might read the whole table for a few. In an ordered lane an entry that comes back keeps its place; the lane itself waits.
FLUSH = """
    WITH patience AS MATERIALIZED (
        SELECT set_config('idle_in_transaction_session_timeout', %(patience)s, TRUE)
    ), held AS MATERIALIZED (
        SELECT lane.id, lane.lease_token AS token, lane.is_ordered
        FROM patience CROSS JOIN outbox_lane lane
        JOIN json_to_recordset(%(leases)s::json) AS lease (lane bigint, token bigint)
            ON lane.id = lease.lane AND lane.lease_token = lease.token
        ORDER BY lane.id FOR NO KEY UPDATE OF lane
    ), settled AS MATERIALIZED (
        SELECT settled.id, settled.next_at, held.is_ordered
        FROM json_to_recordset(%(settlements)s::json)
            AS settled (id bigint, lane bigint, token bigint, next_at timestamptz)
        JOIN held ON held.id = settled.lane AND held.token = settled.token
    ), gone AS (
        DELETE FROM outbox_entry WHERE id = ANY(ARRAY(SELECT id FROM settled WHERE next_at IS NULL))
        RETURNING id
    ), kept AS (
        UPDATE outbox_entry entry SET
            next_at = CASE WHEN settled.is_ordered THEN entry.next_at ELSE settled.next_at END,
            attempts = attempts + 1
        FROM settled
        WHERE entry.id = ANY(ARRAY(SELECT id FROM settled WHERE next_at IS NOT NULL))
            AND settled.id = entry.id
        RETURNING entry.id
    ), remembered AS (
        UPDATE outbox_lane lane SET
            paused_until = health.paused_until, fail_streak = health.fail_streak, strain = health.strain,
            failed_entries = health.failed_entries, trips = health.trips, narrowed_to = health.narrowed_to,
            usual_seconds = health.usual_seconds
        FROM held
        JOIN json_to_recordset(%(healths)s::json) AS health (
            lane bigint, token bigint, paused_until timestamptz, fail_streak int, strain float8,
            failed_entries bigint[], trips smallint, narrowed_to smallint, usual_seconds float8
        ) ON held.id = health.lane AND held.token = health.token
        WHERE lane.id = held.id
    )
    SELECT id FROM gone UNION ALL SELECT id FROM kept
"""


def flush(settlements: Sequence[Settlement], *, now: datetime, patience: timedelta = PATIENCE) -> None:
    """Write them all. One that its kind cannot record is put back for later and costs the others nothing.

    Who freezes within a flush holds its lanes against everybody; after `patience` the server throws it out.
    """
    began_at = time.monotonic()
    try:
        with unbroken():
            _flush_together(settlements, patience)
    except Broken:
        raise
    except Exception:
        if len(settlements) > 1:
            for settlement in settlements:
                flush([settlement], now=now, patience=patience)
            return
        (settlement,) = settlements
        logger.exception(
            "%s cannot record entry %s: it comes back later", settlement.lease.kind, settlement.claimed.id
        )
        _flush_together([poisoned(settlement.lease, settlement.claimed, now=now)], patience)
    measuring.flushed(len(settlements), seconds=time.monotonic() - began_at)


def _flush_together(settlements: Sequence[Settlement], patience: timedelta) -> None:
    healths = _healths(settlements)
    with transaction.atomic():
        written = _write(settlements, healths, patience)
        own = [settlement for settlement in settlements if settlement.claimed.id in written]
        _record(own)
        connection.validate_no_broken_transaction()  # else a swallowed error would undo this in silence
    for lease, health in healths.items():
        lease.health = health
    if len(own) < len(settlements):
        logger.warning("Results fenced, for their lanes were lost: %d", len(settlements) - len(own))
        measuring.FENCED.inc(len(settlements) - len(own))


def _write(settlements: Sequence[Settlement], healths: dict[Lease, Health], patience: timedelta) -> set[int]:
    """Delete or put back the entries; gives the ids of those that were held and still there."""
    changed = [(lease, health) for lease, health in healths.items() if health.is_worth_writing(lease.health)]
    terms = {
        "leases": [{"lane": lease.lane_id, "token": lease.token} for lease in healths],
        "settlements": [
            {
                "id": settlement.claimed.id,
                "lane": settlement.lease.lane_id,
                "token": settlement.lease.token,
                "next_at": settlement.next_at,
            }
            for settlement in settlements
        ],
        "healths": [_row(lease, health) for lease, health in changed],
    }
    texts = {name: orjson.dumps(rows).decode() for name, rows in terms.items()}
    texts["patience"] = f"{patience.total_seconds() * 1000:.0f}"
    return {entry_id for (entry_id,) in statements.run(FLUSH, texts)}


def _row(lease: Lease, health: Health) -> dict[str, Any]:
    return {
        "lane": lease.lane_id,
        "token": lease.token,
        "paused_until": health.paused_until,
        "fail_streak": health.fail_streak,
        "strain": health.strain,
        "failed_entries": health.failed,
        "trips": health.trips,
        "narrowed_to": health.narrowed_to,
        "usual_seconds": health.usual_seconds,
    }


def _healths(settlements: Sequence[Settlement]) -> dict[Lease, Health]:
    """How the receivers do, by all that these tries tell."""
    breakers = {name: _breaker(name) for name in {settlement.lease.kind for settlement in settlements}}
    healths: dict[Lease, Health] = {}
    for settlement in settlements:
        lease = settlement.lease
        health = healths.get(lease, lease.health).paused(settlement.paused_until)
        if health.is_ordered:  # nothing may overtake what comes back
            health = health.paused(settlement.next_at)
        if settlement.result:
            health = health.after(settlement.result, breaker=breakers[lease.kind])
        healths[lease] = health
    return healths


def _breaker(name: str) -> Breaker | None:
    kind = kinds.registered().get(name)
    return kind.breaker() if isinstance(kind, Guarded) else None


def _record(settlements: Iterable[Settlement]) -> None:
    by_kind = attrgetter("lease.kind")
    for name, group in groupby(sorted(settlements, key=by_kind), key=by_kind):
        results = [settlement.result for settlement in group if settlement.result]
        if results:
            kinds.registered()[name].record(results)
