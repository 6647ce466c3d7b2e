"""What becomes of a message: every status is written, kept in its history and published, or nothing is.

A status only moves forward: QUEUED_ON_CHANNEL or SWITCHING_CHANNEL, then DELIVERED, then READ; FAILED and READ end
it. What arrives late, twice or out of order changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Model, QuerySet

from contacts import consents
from contacts.consents import ContentType
from contacts.resolving import Identity
from conversations import payloads
from conversations.models import UNSETTLED, Candidate, Message, Receipt, Status
from gateway.channels.base import Channel, Reason, ReasonCode
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
NOT_REPORTED: Final = Reason(ReasonCode.DELIVERY_TIMED_OUT, "This channel gave no delivery report in time.")
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
    publish(
        app=message.app,
        trigger=Trigger.MESSAGE_DELIVERY,
        payload=payload,
        about=about(message, now),
        callback_url=message.callback_url,
    )
    return True


def try_next(message: Message, *, reason: Reason, now: datetime) -> None:
    """Hand the message to the next channel on its route; without one it has failed, for the reason given."""
    candidate = _next_candidate(message)
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


def enqueue(message: Message, *, delay: timedelta = timedelta(0), beside: Sequence[Model] = ()) -> None:
    """Put the message in the lane of its credential; new rows that stand `beside` are inserted with its entry."""
    if message.credential_id is None:
        raise ValueError("A candidate without a credential is never tried.")
    lane_and_ref = ids.to_uuid(message.credential_id), ids.to_uuid(message.id)
    entries.put(SENDING, [lane_and_ref], delay=delay.total_seconds(), urgent=message.is_urgent, beside=beside)


def conclude(
    candidate: Candidate, verdict: Candidate.Verdict, *, reason: Reason | None = None, now: datetime
) -> None:
    """Write into the trace what the channel said."""
    candidate.verdict = verdict
    candidate.reason = payloads.reason(reason)
    candidate.settled_at = now
    candidate.save(update_fields=["verdict", "reason", "channel_message_id", "settled_at"])


def await_report(message: Message, *, now: datetime) -> None:
    """Where the app wants it, the next channel's turn comes if this one does not report in time."""
    if not message.app.fallback_enabled or _next_candidate(message) is None:
        return
    message.fallback_at = now + timedelta(seconds=message.app.fallback_waiting_time)
    message.save(update_fields=["fallback_at"])


def fall_back(*, now: datetime) -> int:
    """Hand every message without a report in time to its next channel; how many that were."""

    def hand_on(message: Message) -> None:
        taken = Candidate.objects.get(message_id=message.id, verdict=Candidate.Verdict.TAKEN)
        conclude(taken, Candidate.Verdict.REFUSED, reason=NOT_REPORTED, now=now)
        message.fallback_at = None
        message.save(update_fields=["fallback_at"])
        try_next(message, reason=NOT_REPORTED, now=now)

    return _for_each(Message.objects.filter(status=Status.QUEUED_ON_CHANNEL, fallback_at__lte=now), hand_on)


def time_out(*, now: datetime) -> int:
    """Fail every message whose ttl has passed without a report; how many that were."""

    def fail(message: Message) -> None:
        settle(message, Status.FAILED, reason=TIMED_OUT, now=now)

    return _for_each(Message.objects.filter(status__in=UNSETTLED, expires_at__lte=now), fail)


def _for_each(overdue: QuerySet[Message], act: Callable[[Message], None]) -> int:
    """Act on all of them, in batches that hold the rows and leave alone what others hold."""
    done = 0
    held = overdue.select_related("app", "conversation").select_for_update(of=("self",), skip_locked=True)
    while True:
        with transaction.atomic():
            batch = list(held.order_by("expires_at")[:_BATCH])
            for message in batch:
                act(message)
        done += len(batch)
        if len(batch) < _BATCH:
            return done


def _next_candidate(message: Message) -> Candidate | None:
    """The first that still waits and has not opted out since the message was routed."""
    rows = Candidate.objects.filter(message_id=message.id, verdict=Candidate.Verdict.WAITING)
    waiting = [(row, Identity(Channel(row.channel), row.identity)) for row in rows.order_by("position")]
    about = ContentType(message.content_type)
    opted_out = consents.opted_out(
        app=message.app, identities=[identity for _, identity in waiting], about=about
    )
    return next((row for row, identity in waiting if identity not in opted_out), None)


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
