"""Sending: the message is stored, routed and handed to the outbox in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from contacts import resolving
from contacts.consents import ContentType
from contacts.models import Contact
from contacts.resolving import Identity
from conversations import conversing, payloads
from conversations.models import Candidate, Conversation, Direction, Message, Status
from conversations.reaching import recalling, routing, statuses
from conversations.reaching.recalling import Kept
from conversations.reaching.routing import Choice
from gateway.channels.base import Channel
from outbox import statements
from projects.models import App, ProcessingMode
from webhooks.publishing import publish
from webhooks.triggers import Trigger

DEFAULT_TTL: Final = timedelta(hours=48)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who gets it: a contact, or identities in the order of the request."""

    contact: Contact | None = None
    identities: Sequence[Identity] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is sent, and how: the contract's SendMessageRequest without its recipient."""

    content: Mapping[str, Any]
    metadata: str = ""
    correlation_id: str = ""
    conversation_metadata: dict[str, Any] | None = None
    merges_metadata: bool = False
    channel_order: Sequence[Channel] = ()
    channel_properties: Mapping[str, str] = field(default_factory=dict)
    callback_url: str = ""
    ttl: timedelta | None = None
    is_urgent: bool = False
    is_dispatched: bool = False
    content_type: ContentType = ContentType.CONTENT_UNKNOWN

    def mode(self, app: App) -> ProcessingMode:
        """In which the message is accepted: the app's, unless the client wants it to stand alone."""
        return ProcessingMode.DISPATCH if self.is_dispatched else ProcessingMode(app.processing_mode)


@transaction.atomic
def send(*, app: App, recipient: Recipient, draft: Draft, now: datetime) -> Message:
    """Store the message with its route and hand it to its first channel; MESSAGE_SUBMIT tells of it.

    Where no channel can be tried it has FAILED at once, with a delivery report that says why.
    """
    alone = draft.mode(app) == ProcessingMode.DISPATCH
    contact = None if alone else _contact(app, recipient, now)
    choices = routing.route(
        app=app,
        contact=contact,
        given=recipient.identities,
        own_order=draft.channel_order,
        about=draft.content_type,
    )
    first = next((choice for choice in choices if choice.verdict == Candidate.Verdict.WAITING), None)
    conversation = _conversation(app, contact, draft, first, now)
    message = _message(app, conversation, draft, first, now)
    _store(message, _trace(message, choices, first))
    contact_id = contact.id if contact else ""
    submitted = payloads.submitted(message, contact_id=contact_id)
    publish(
        app=app,
        trigger=Trigger.MESSAGE_SUBMIT,
        payload=submitted,
        about=statuses.about(message, now),
        callback_url=message.callback_url,
    )
    if first is None:
        statuses.settle(message, Status.FAILED, reason=routing.no_route_reason(choices), now=now)
    return message


def _contact(app: App, recipient: Recipient, now: datetime) -> Contact:
    if recipient.contact is not None:
        return recipient.contact
    return resolving.find_or_create(app=app, identities=recipient.identities, now=now)


def _conversation(
    app: App, contact: Contact | None, draft: Draft, first: Choice | None, now: datetime
) -> Conversation | None:
    if contact is None:
        return None
    channel = first.channel if first else None
    conversation = conversing.join(app=app, contact=contact, accept_time=now, channel=channel, now=now)
    conversing.remember(
        conversation,
        correlation_id=draft.correlation_id,
        metadata=draft.conversation_metadata,
        merge=draft.merges_metadata,
    )
    return conversation


def _message(
    app: App, conversation: Conversation | None, draft: Draft, first: Choice | None, now: datetime
) -> Message:
    kept = _kept(app, conversation, draft, first)
    return Message(
        project_id=app.project_id,
        app=app,
        conversation=conversation,
        direction=Direction.TO_CONTACT,
        content=draft.content,
        metadata=draft.metadata,
        accept_time=now,
        processing_mode=ProcessingMode.CONVERSATION if conversation else ProcessingMode.DISPATCH,
        channel=first.channel if first else "",
        identity=first.identity if first else "",
        credential_id=first.credential_id if first else None,
        correlation_id=kept.correlation_id,
        conversation_metadata=kept.metadata,
        callback_url=draft.callback_url,
        channel_properties=draft.channel_properties,
        is_urgent=draft.is_urgent,
        content_type=draft.content_type,
        status=Status.ACCEPTED,
        status_at=now,
        expires_at=now + (draft.ttl or DEFAULT_TTL),
    )


def _kept(app: App, conversation: Conversation | None, draft: Draft, first: Choice | None) -> Kept:
    """What goes with the message, and with the next ones that give nothing else."""
    if conversation is not None:
        return Kept(conversation.correlation_id)  # its metadata it keeps itself
    before = recalling.left_with(app, Identity(first.channel, first.identity)) if first else Kept()
    return before.renewed(
        correlation_id=draft.correlation_id, metadata=draft.conversation_metadata, merge=draft.merges_metadata
    )


def _store(message: Message, trace: Sequence[Candidate]) -> None:
    """With its entry in the outbox, where a channel is tried, in one statement."""
    if message.credential_id:
        statuses.enqueue(message, beside=[message, *trace])
    else:
        statements.insert(message, *trace)


def _trace(message: Message, choices: Sequence[Choice], first: Choice | None) -> list[Candidate]:
    return [
        Candidate(
            app_id=message.app_id,
            message_id=message.id,
            accept_time=message.accept_time,
            position=position,
            level=choice.level,
            channel=choice.channel,
            identity=choice.identity,
            credential_id=choice.credential_id,
            verdict=Candidate.Verdict.TRYING if choice is first else choice.verdict,
        )
        for position, choice in enumerate(choices)
    ]
