"""Redelivery: how the outbox sends what is replayed. It is logged as such, and tried a few times only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings

from gateway.http import Request, Response
from outbox import statements
from outbox.kinds import Claimed, Decision, Pace, Result, Verdict
from projects import ids
from webhooks.delivering import receivers
from webhooks.delivering.delivery import EventDelivery
from webhooks.delivering.receivers import Receiver, Told
from webhooks.models import Replay
from webhooks.repeating.replaying import REPLAY

# Of those that still run, which webhook they send to.
REPLAYED: Final = """
    SELECT id, webhook_id FROM webhooks_replay WHERE id = ANY(%(replays)s::uuid[]) AND state = 'RUNNING'
"""

DELIVERED: Final = """
    DELETE FROM webhooks_deadletter letter
    USING unnest(%(webhooks)s::uuid[], %(events)s::uuid[]) AS delivered (webhook_id, event_id)
    WHERE letter.webhook_id = delivered.webhook_id AND letter.event_id = delivered.event_id
"""

MOST_TRIES: Final = 5  # a replay that drags on for days surprises whoever has begun it


class Redelivery(EventDelivery):
    """The kind whose lanes are replays."""

    def __init__(self) -> None:
        super().__init__(REPLAY, receivers=_receivers, paces=_paces)

    def read(self, claimed: Claimed, request: Request, response: Response) -> Verdict:
        """As any delivery, but the last try comes soon."""
        if claimed.attempt >= MOST_TRIES:  # as if the window ended now
            window = timedelta(seconds=settings.WEBHOOK_RETRY_WINDOW)
            claimed = replace(claimed, created_at=claimed.due_at - window)
        return super().read(claimed, request, response)

    def record(self, results: Sequence[Result]) -> None:
        """Log every attempt; what was given up before and is delivered now is no dead letter any more."""
        super().record(results)
        delivered = [result for result in results if result.verdict.decision is Decision.DONE]
        if delivered:
            terms = {
                "webhooks": [ids.to_uuid(result.request.tag.webhook_id) for result in delivered],
                "events": [result.claimed.ref for result in delivered],
            }
            statements.run(DELIVERED, terms)


def _receivers(deliveries: Sequence[tuple[Claimed, Told]]) -> dict[int, Receiver]:
    """By entry id the webhooks of the replays that own the entries' lanes.

    In one query, and those that it takes to know the webhooks.
    """
    replays = list({claimed.owner for claimed, _ in deliveries})
    webhooks = dict(statements.run(REPLAYED, {"replays": replays}))
    known = receivers.webhooks(
        [(replace(one, owner=webhooks[one.owner]), told) for one, told in deliveries if one.owner in webhooks]
    )
    found = {one.owner: known[one.id] for one, _ in deliveries if one.id in known}
    again = {owner: replace(receiver, replay_id=ids.from_uuid(owner)) for owner, receiver in found.items()}
    return {one.id: again[one.owner] for one, _ in deliveries if one.owner in again}


def _paces(owners: Sequence[UUID]) -> Mapping[UUID, Pace]:
    """Each replay has a pace of its own, beside its app's `rate_limits.webhooks`."""
    rows = Replay.objects.filter(pk__in=[ids.from_uuid(owner) for owner in owners])
    return {
        ids.to_uuid(replay_id): Pace(f"replay {replay_id}", per_second)
        for replay_id, per_second in rows.values_list("pk", "per_second")
    }
