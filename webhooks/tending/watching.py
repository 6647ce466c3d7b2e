"""Watching: how each webhook is doing; one that fails too long is spoken of, and in the end switched off."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import orjson
import pghistory
from django.conf import settings

from outbox import statements
from outbox.kinds import Decision, Result
from projects import clock, ids
from webhooks.delivering.retrying import GONE, GONE_REASON, NEVER_SENT
from webhooks.models import Condition, Webhook
from webhooks.tending import warning

logger = logging.getLogger(__name__)

WARNED_AFTER: Final = (timedelta(hours=4), timedelta(hours=24))
MOST_REFUSALS: Final = 3  # of an address that may not be called, in a row

# A success of a healthy webhook is noted every ten seconds, not with each delivery. `tally` begins anew with the
# last success in it.
REMEMBER = """
    WITH tally AS (
        SELECT * FROM jsonb_to_recordset(%(tallies)s::jsonb) AS tally (
            webhook_id uuid, streak int, failing_since timestamptz, failed_at timestamptz,
            succeeded_at timestamptz, refusals int, was_reached bool
        )
    ), known AS (
        SELECT tally.*, condition.webhook_id AS known_id
        FROM tally LEFT JOIN webhooks_condition condition USING (webhook_id)
    ), made AS (
        INSERT INTO webhooks_condition
            (webhook_id, streak, failing_since, failed_at, succeeded_at, refusals, warnings)
        SELECT webhook_id, streak, failing_since, failed_at, succeeded_at, refusals, 0
        FROM known WHERE known_id IS NULL
        ON CONFLICT DO NOTHING
        RETURNING webhook_id, failing_since, failed_at, refusals, warnings
    ), changed AS (
        UPDATE webhooks_condition condition SET
            streak = CASE WHEN known.succeeded_at IS NULL THEN condition.streak ELSE 0 END + known.streak,
            failing_since = CASE
                WHEN known.succeeded_at IS NULL THEN coalesce(condition.failing_since, known.failing_since)
                ELSE known.failing_since
            END,
            failed_at = coalesce(known.failed_at, condition.failed_at),
            succeeded_at = greatest(condition.succeeded_at, known.succeeded_at),
            refusals = CASE WHEN known.was_reached THEN 0 ELSE condition.refusals END + known.refusals,
            warnings = CASE WHEN known.succeeded_at IS NULL THEN condition.warnings ELSE 0 END
        FROM known
        WHERE condition.webhook_id = known.known_id AND (
            condition.streak > 0 OR known.streak > 0 OR condition.succeeded_at IS NULL
            OR condition.succeeded_at < known.succeeded_at - interval '10 seconds'
        )
        RETURNING
            condition.webhook_id, condition.failing_since, condition.failed_at, condition.refusals,
            condition.warnings
    )
    SELECT * FROM made UNION ALL SELECT * FROM changed
"""


@dataclass(slots=True)
class Tally:
    """How one webhook did within a batch: since the last success in it, or since its beginning."""

    streak: int = 0
    failing_since: datetime | None = None
    failed_at: datetime | None = None
    succeeded_at: datetime | None = None
    refusals: int = 0
    was_reached: bool = False
    is_gone: bool = False

    def add(self, result: Result) -> None:
        """Count one more try."""
        if result.response.error in NEVER_SENT:
            self.refusals += 1
        else:
            self.refusals, self.was_reached = 0, True
        if result.verdict.decision is Decision.DONE:
            self.streak, self.failing_since, self.succeeded_at = 0, None, result.started_at
            return
        self.streak += 1
        self.failing_since = self.failing_since or result.started_at
        self.failed_at = result.started_at
        self.is_gone |= result.response.status == GONE


@dataclass(frozen=True, slots=True)
class Standing:
    """How a webhook stands after a batch."""

    failing_since: datetime | None
    failed_at: datetime | None
    refusals: int
    warnings: int

    @property
    def failing_for(self) -> timedelta:
        """From the first failure to the latest, without a success between them: silence proves nothing."""
        if self.failing_since is None or self.failed_at is None:
            return timedelta(0)
        return self.failed_at - self.failing_since


def observe(results: Sequence[Result]) -> None:
    """Note how the webhooks took what they were sent, replays apart; act on those that fail too long."""
    tallies: dict[str, Tally] = {}
    for result in sorted(results, key=lambda result: result.started_at):
        receiver = result.request.tag
        if receiver.webhook_id and not receiver.replay_id:
            tallies.setdefault(receiver.webhook_id, Tally()).add(result)
    if not tallies:
        return
    for webhook_id, standing in _remember(tallies).items():
        if reason := _why_disable(standing, is_gone=tallies[webhook_id].is_gone):
            disable(webhook_id, reason, now=clock.now())
        elif standing.warnings < _warnings_due(standing):
            warning.failing(webhook_id, since=standing.failing_since, now=clock.now())
            Condition.objects.filter(pk=webhook_id).update(warnings=_warnings_due(standing))


def disable(webhook_id: str, reason: str, *, now: datetime) -> None:
    """Send it nothing more, and tell those who look after it; once, however often it is asked for."""
    with pghistory.context(via="DELIVERY"):
        disabled = Webhook.objects.filter(pk=webhook_id, disabled_at=None).update(
            disabled_at=now, disabled_reason=reason[:255]
        )
    if disabled:
        logger.warning("webhook %s is switched off: %s", webhook_id, reason)
        warning.disabled(webhook_id, reason, now=now)


def forget(webhook_id: str) -> None:
    """Begin anew: what it did before no longer counts."""
    Condition.objects.filter(pk=webhook_id).update(
        streak=0, failing_since=None, failed_at=None, refusals=0, warnings=0
    )


def drop(webhook_id: str) -> None:
    """Know nothing of it any more, because it goes."""
    Condition.objects.filter(pk=webhook_id).delete()


def _remember(tallies: Mapping[str, Tally]) -> dict[str, Standing]:
    """By id those whose row changed."""
    ordered = sorted(tallies.items())  # so that no two flushes wait for each other
    rows = [
        {
            "webhook_id": ids.to_uuid(webhook_id),
            "streak": tally.streak,
            "failing_since": tally.failing_since,
            "failed_at": tally.failed_at,
            "succeeded_at": tally.succeeded_at,
            "refusals": tally.refusals,
            "was_reached": tally.was_reached,
        }
        for webhook_id, tally in ordered
    ]
    changed = statements.run(REMEMBER, {"tallies": orjson.dumps(rows).decode()})
    return {ids.from_uuid(webhook_id): Standing(*rest) for webhook_id, *rest in changed}


def _why_disable(standing: Standing, *, is_gone: bool) -> str:
    """Empty: it may go on."""
    if is_gone:
        return GONE_REASON
    if standing.refusals >= MOST_REFUSALS:
        return f"Its address was refused {MOST_REFUSALS} times: it may not be called"
    if standing.failing_for >= timedelta(days=settings.WEBHOOK_DISABLE_AFTER_DAYS):
        return f"It failed for {settings.WEBHOOK_DISABLE_AFTER_DAYS} days without a success"
    return ""


def _warnings_due(standing: Standing) -> int:
    return sum(standing.failing_for >= after for after in WARNED_AFTER)
