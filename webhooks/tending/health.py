"""Health: how webhooks are doing, in the numbers that people look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from django.db import connection

from projects import clock, ids
from webhooks.models import Condition, Webhook
from webhooks.publishing import WEBHOOK

MOST_LOOKED_AT: Final = 10_000  # tries of one webhook, the latest; and entries that wait for it

# Replays count for nothing here: they repeat what failed.
NUMBERS = """
    SELECT one.id, lane.paused_until, waiting.since, tried.number, tried.delivered, tried.p95
    FROM unnest(%(webhooks)s::uuid[]) AS one (id)
    LEFT JOIN outbox_lane lane ON lane.kind = %(kind)s AND lane.owner = one.id
    CROSS JOIN LATERAL (
        SELECT min(created_at) AS since FROM (
            SELECT created_at FROM outbox_entry
            WHERE lane_id = lane.id ORDER BY priority, next_at LIMIT %(most)s
        ) entry
    ) waiting
    CROSS JOIN LATERAL (
        SELECT
            count(*) AS number,
            count(*) FILTER (WHERE result = 'DELIVERED') AS delivered,
            percentile_disc(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95
        FROM (
            SELECT result, duration_ms FROM webhooks_attempt
            WHERE webhook_id = one.id AND started_at > %(now)s - interval '24 hours'
                AND replay_id IS NULL AND result <> 'DISMISSED'
            ORDER BY started_at DESC LIMIT %(most)s
        ) attempt
    ) tried
"""

# Of many, without a look at their tries, nor at the clock by another query.
STANDINGS = """
    SELECT
        one.id, coalesce(lane.paused_until > statement_timestamp(), false), coalesce(condition.streak, 0),
        condition.succeeded_at
    FROM unnest(%(webhooks)s::uuid[]) AS one (id)
    LEFT JOIN outbox_lane lane ON lane.kind = %(kind)s AND lane.owner = one.id
    LEFT JOIN webhooks_condition condition ON condition.webhook_id = one.id
"""


class State(StrEnum):
    """In a word; the first that holds."""

    DISABLED = "DISABLED"  # switched off
    PAUSED = "PAUSED"  # left alone for a while: it asked for that, or fails
    FAILING = "FAILING"  # the latest try failed
    NEW = "NEW"  # never tried
    HEALTHY = "HEALTHY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How one webhook is doing. Its numbers are those of the last 24 hours."""

    state: State
    success_percent: float | None  # of its tries; None: there were none
    p95_ms: int | None
    streak: int  # failures since the last success
    failing_since: datetime | None
    last_success_at: datetime | None  # to within ten seconds
    oldest_waiting_at: datetime | None  # when the event happened that has waited longest
    rests_until: datetime | None  # None: it does not rest


@dataclass(frozen=True, slots=True)
class _Numbers:
    paused_until: datetime | None
    waiting_since: datetime | None
    tries: int
    delivered: int
    p95_ms: int | None

    def rests(self, now: datetime) -> bool:
        """Whether nothing is sent to it just now."""
        return self.paused_until is not None and self.paused_until > now


def of(webhooks: Iterable[Webhook]) -> Mapping[str, Health]:
    """By id, in three queries."""
    known = {webhook.id: webhook for webhook in webhooks}
    now = clock.now()
    conditions = Condition.objects.in_bulk(list(known))
    numbers = _numbers(known, now=now)
    return {
        webhook_id: _health(
            webhook,
            conditions.get(webhook_id) or Condition(webhook_id=webhook_id),
            numbers[webhook_id],
            now=now,
        )
        for webhook_id, webhook in known.items()
    }


def states(webhooks: Iterable[Webhook]) -> Mapping[str, State]:
    """By id, in one query whatever they are sent."""
    known = {ids.to_uuid(webhook.id): webhook for webhook in webhooks}
    with connection.cursor() as cursor:
        cursor.execute(STANDINGS, {"webhooks": list(known), "kind": WEBHOOK})
        standings = cursor.fetchall()
    return {
        known[id_].id: _state(known[id_], Condition(streak=streak, succeeded_at=succeeded_at), rests=rests)
        for id_, rests, streak, succeeded_at in standings
    }


def _numbers(webhook_ids: Iterable[str], *, now: datetime) -> dict[str, _Numbers]:
    owners = [ids.to_uuid(webhook_id) for webhook_id in webhook_ids]
    terms: dict[str, Any] = {"webhooks": owners, "kind": WEBHOOK, "now": now, "most": MOST_LOOKED_AT}
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, terms)
        return {ids.from_uuid(webhook_id): _Numbers(*rest) for webhook_id, *rest in cursor.fetchall()}


def _health(webhook: Webhook, condition: Condition, numbers: _Numbers, *, now: datetime) -> Health:
    return Health(
        state=_state(webhook, condition, rests=numbers.rests(now)),
        success_percent=100 * numbers.delivered / numbers.tries if numbers.tries else None,
        p95_ms=numbers.p95_ms,
        streak=condition.streak,
        failing_since=condition.failing_since,
        last_success_at=condition.succeeded_at,
        oldest_waiting_at=numbers.waiting_since,
        rests_until=numbers.paused_until if numbers.rests(now) else None,
    )


def _state(webhook: Webhook, condition: Condition, *, rests: bool) -> State:
    if webhook.disabled_at:
        return State.DISABLED
    if rests:
        return State.PAUSED
    if condition.streak:
        return State.FAILING
    return State.HEALTHY if condition.succeeded_at else State.NEW
