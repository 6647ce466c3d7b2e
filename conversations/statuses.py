"""What becomes of a message: every status is written, kept in its history and published, or nothing is.

A status only moves forward: QUEUED_ON_CHANNEL or SWITCHING_CHANNEL, then DELIVERED, then READ; FAILED and READ end
it. What arrives late, twice or out of order changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from conversations import payloads
from conversations.models import UNSETTLED, Candidate, Message, Receipt, Status
from gateway.channels.base import Reason, ReasonCode
from outbox import entries
from projects import ids
from webhooks.publishing import About, publish
from webhooks.triggers import Trigger

SENDING: Final = "message"  # the outbox kind that carries messages to their channel
_BATCH: Final = 500
_FOLLOWS: Final = {
    Status.QUEUED_ON_CHANNEL: {Status.ACCEPTED, Status.SWITCHING_CHANNEL},
    Status.SWITCHING_CHANNEL: set(UNSETTLED),
    Status.DELIVERED: set(UNSETTLED),
    Status.READ: {*UNSETTLED, Status.DELIVERED},
    Status.FAILED: set(UNSETTLED),
}
TIMED_OUT: Final = Reason(ReasonCode.DELIVERY_TIMED_OUT, "No delivery report came in time.")


def settle(message: Message, status: Status, *, reason: Reason | None = None, now: datetime) -> bool:
    """Write the new status and publish it, both or neither; False where it cannot follow the present one.

    The caller holds the message's row.
    """
    if message.status not in _FOLLOWS[status]:
        return False
    message.status, message.status_at, message.reason = status, now, payloads.reason(reason)
    message.save(update_fields=["status", "status_at", "reason", "channel", "identity", "credential_id"])
    Receipt.objects.create(
        app_id=message.app_id,
        message_id=message.id,
        accept_time=message.accept_time,
        status=status,
        channel=message.channel,
        reason=message.reason,
        occurred_at=now,
    )
    contact_id = contact_of(message)
    payload = payloads.delivery(message, contact_id=contact_id, status=status, reason=message.reason)
    publish(app=message.app, trigger=Trigger.MESSAGE_DELIVERY, payload=payload, about=about(message, now))
    return True


def try_next(message: Message, *, reason: Reason, now: datetime) -> None:
    """Hand the message to the next channel on its route; without one it has failed, for the reason given."""
    candidate = (
        Candidate.objects.filter(message_id=message.id, verdict=Candidate.Verdict.WAITING)
        .order_by("position")
        .first()
    )
    if candidate is None:
        settle(message, Status.FAILED, reason=reason, now=now)
        return
    settle(message, Status.SWITCHING_CHANNEL, reason=reason, now=now)
    hand_over(message, candidate)


def hand_over(message: Message, candidate: Candidate) -> None:
    """Make this candidate the message's channel, and put the message in its lane."""
    candidate.verdict = Candidate.Verdict.TRYING
    candidate.save(update_fields=["verdict"])
    message.channel, message.identity = candidate.channel, candidate.identity
    message.credential_id = candidate.credential_id
    message.save(update_fields=["channel", "identity", "credential_id"])
    enqueue(message)


def enqueue(message: Message) -> None:
    """Put the message in the lane of its credential."""
    if message.credential_id is None:
        raise ValueError("A candidate without a credential is never tried.")
    lane_and_ref = ids.to_uuid(message.credential_id), ids.to_uuid(message.id)
    entries.put(SENDING, [lane_and_ref], urgent=message.is_urgent)


def conclude(
    candidate: Candidate, verdict: Candidate.Verdict, *, reason: Reason | None = None, now: datetime
) -> None:
    """Write into the trace what the channel said."""
    candidate.verdict = verdict
    candidate.reason = payloads.reason(reason)
    candidate.settled_at = now
    candidate.save(update_fields=["verdict", "reason", "channel_message_id", "settled_at"])


def time_out(*, now: datetime) -> int:
    """Fail every message whose ttl has passed without a report; how many that were."""
    failed = 0
    while True:
        with transaction.atomic():
            overdue = Message.objects.filter(status__in=UNSETTLED, expires_at__lte=now).order_by("expires_at")
            batch = list(
                overdue.select_related("app", "conversation").select_for_update(
                    of=("self",), skip_locked=True
                )[:_BATCH]
            )
            for message in batch:
                settle(message, Status.FAILED, reason=TIMED_OUT, now=now)
        failed += len(batch)
        if len(batch) < _BATCH:
            return failed


def contact_of(message: Message) -> str:
    """The contact's id; empty where the message was dispatched alone or the contact is gone."""
    return (message.conversation.contact_id or "") if message.conversation else ""


def about(message: Message, now: datetime) -> About:
    """The envelope of an event about this message."""
    return About(
        accepted_time=message.accept_time,
        event_time=now,
        message_id=message.id,
        accept_time=message.accept_time,
        message_metadata=message.metadata,
        correlation_id=message.correlation_id,
    )
