"""Redelivery: how the outbox sends what is replayed. It is logged as such, and tried a few times only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings

from gateway.http import Request, Response
from outbox.kinds import Claimed, Decision, Pace, Result, Verdict
from projects import ids
from webhooks.delivering import receivers
from webhooks.delivering.delivery import EventDelivery
from webhooks.delivering.receivers import Receiver, Told
from webhooks.models import DeadLetter, Replay, Webhook
from webhooks.repeating.replaying import REPLAY

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
        delivered: dict[str, list[str]] = defaultdict(list)
        for result in results:
            if result.verdict.decision is Decision.DONE:
                delivered[result.request.tag.webhook_id].append(ids.from_uuid(result.claimed.ref))
        for webhook_id, event_ids in delivered.items():
            DeadLetter.objects.filter(webhook=webhook_id, event_id__in=event_ids).delete()


def _receivers(deliveries: Sequence[tuple[Claimed, Told]]) -> dict[int, Receiver]:
    """By entry id the webhooks of the replays that own the entries' lanes; in one query."""
    owners = {claimed.id: ids.from_uuid(claimed.owner) for claimed, _ in deliveries}
    running = Replay.objects.running().filter(pk__in=set(owners.values()))
    replays = running.filter(webhook__in=Webhook.objects.dialled()).select_related("webhook").in_bulk()
    found = {id_: replace(receivers.of_webhook(one.webhook), replay_id=id_) for id_, one in replays.items()}
    return {entry_id: found[owner] for entry_id, owner in owners.items() if owner in found}


def _paces(owners: Sequence[UUID]) -> Mapping[UUID, Pace]:
    """Each replay has a pace of its own, beside its app's `rate_limits.webhooks`."""
    rows = Replay.objects.filter(pk__in=[ids.from_uuid(owner) for owner in owners])
    return {
        ids.to_uuid(replay_id): Pace(f"replay {replay_id}", per_second)
        for replay_id, per_second in rows.values_list("pk", "per_second")
    }
