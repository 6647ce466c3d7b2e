"""Sending an event: stored, routed to one channel and handed to the outbox in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from contacts import resolving
from contacts.models import Contact
from contacts.resolving import Identity
from conversations import conversing
from conversations.events import settling
from conversations.hearing.injecting import OLDEST
from conversations.models import Candidate, Conversation, ConversationEvent, Direction, Status
from conversations.reaching import routing
from conversations.reaching.sending import Recipient
from gateway.channels.base import Channel
from outbox import entries
from projects import ids
from projects.models import App, ProcessingMode


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDraft:
    """What is sent, and how. `app_event` is the contract's."""

    app_event: Mapping[str, Any]
    metadata: str = ""
    channel_order: Sequence[Channel] = ()
    callback_url: str = ""
    is_urgent: bool = False


@transaction.atomic
def send(*, app: App, recipient: Recipient, draft: EventDraft, now: datetime) -> ConversationEvent:
    """Store the event and hand it to the first channel that can be tried, and to no other.

    Where none can it has FAILED at once, with a report that says why.
    """
    contact = _contact(app, recipient, now)
    choices = routing.route(
        app=app, contact=contact, given=recipient.identities, own_order=draft.channel_order
    )
    first = next((choice for choice in choices if choice.verdict == Candidate.Verdict.WAITING), None)
    conversation = None
    if contact is not None:
        channel = first.channel if first else None
        conversation = conversing.join(app=app, contact=contact, accept_time=None, channel=channel, now=now)
    event = ConversationEvent.objects.create(
        project_id=app.project_id,
        app=app,
        conversation=conversation,
        direction=Direction.TO_CONTACT,
        content={"app_event": draft.app_event},
        accept_time=now,
        processing_mode=app.processing_mode,
        channel=first.channel if first else "",
        identity=first.identity if first else "",
        credential_id=first.credential_id if first else None,
        callback_url=draft.callback_url,
        metadata=draft.metadata,
        status=Status.ACCEPTED,
    )
    if first is None or first.credential_id is None:
        settling.settle(event, Status.FAILED, reason=routing.no_route_reason(choices), now=now)
        return event
    lane_and_ref = ids.to_uuid(first.credential_id), ids.to_uuid(event.id)
    entries.put(settling.SENDING, [lane_and_ref], urgent=draft.is_urgent)
    return event


def inject(
    conversation: Conversation,
    *,
    app_event: Mapping[str, Any],
    accept_time: datetime,
    identity: Identity | None,
    now: datetime,
) -> ConversationEvent:
    """Store an event that happened elsewhere; it is not sent.

    Raises ValidationError when its time lies ahead, or more than 30 days back.
    """
    if not now - OLDEST <= accept_time <= now:
        raise ValidationError({"accept_time": "must be in the past, at most 30 days ago"})
    return ConversationEvent.objects.create(
        project_id=conversation.project_id,
        app_id=conversation.app_id,
        conversation=conversation,
        direction=Direction.TO_CONTACT,
        content={"app_event": app_event},
        accept_time=accept_time,
        processing_mode=ProcessingMode.CONVERSATION,
        channel=identity.channel if identity else "",
        identity=identity.identity if identity else "",
    )


def _contact(app: App, recipient: Recipient, now: datetime) -> Contact | None:
    if app.processing_mode == ProcessingMode.DISPATCH:
        return None
    return recipient.contact or resolving.find_or_create(app=app, identities=recipient.identities, now=now)
