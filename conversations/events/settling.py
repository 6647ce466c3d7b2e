"""What becomes of an event: taken by its channel, delivered or failed. It has one channel; there is no next."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from conversations.events import payloads
from conversations.models import UNSETTLED, ConversationEvent, Status
from gateway.channels.base import Reason
from webhooks.publishing import About, publish
from webhooks.triggers import Trigger

SENDING: Final = "event"  # the outbox kind that carries events to their channel
AWAITED: Final = timedelta(hours=48)  # a report that comes later finds the metadata gone
_FOLLOWS: Final = {
    Status.QUEUED_ON_CHANNEL: {Status.ACCEPTED},
    Status.DELIVERED: set(UNSETTLED),
    Status.FAILED: set(UNSETTLED),
}


def settle(event: ConversationEvent, status: Status, *, reason: Reason | None = None, now: datetime) -> bool:
    """Write the new status and publish it, both or neither; False where it cannot follow the present one.

    The caller holds the event's row. The last report takes the metadata with it.
    """
    if event.status not in _FOLLOWS[status]:
        return False
    event.status = status
    publish(
        app=event.app,
        trigger=Trigger.EVENT_DELIVERY,
        payload=payloads.delivery(event, status, reason),
        about=about(event, now),
        callback_url=event.callback_url,
    )
    if not event.is_unsettled:
        event.metadata = ""
    event.save(update_fields=["status", "metadata"])
    return True


def forget(*, now: datetime) -> int:
    """Drop the metadata of events on which no channel will report any more; how many that were."""
    silent = ConversationEvent.objects.exclude(metadata="").filter(accept_time__lt=now - AWAITED)
    return silent.update(metadata="")


def about(event: ConversationEvent, now: datetime) -> About:
    """The envelope of a callback about this event."""
    return About(
        accepted_time=event.accept_time,
        event_time=now,
        message_id=event.id,  # the callback's copy goes with the event, as a message's does
        accept_time=event.accept_time,
        message_metadata=event.metadata,
        correlation_id=event.conversation.correlation_id if event.conversation else "",
    )
