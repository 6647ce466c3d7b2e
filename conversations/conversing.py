"""Conversations begin, go on and end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, IntegrityError, transaction
from rest_framework.exceptions import ValidationError

from contacts.models import Contact
from conversations import payloads
from conversations.composing import contents
from conversations.models import Conversation
from gateway.channels.base import Channel
from outbox import statements
from projects import ids
from projects.models import App
from webhooks.publishing import About, publish
from webhooks.triggers import Trigger

# Greatest takes no notice of NULL: neither of what is no message, nor of a conversation without one.
_JOIN: Final = """
    UPDATE conversations_conversation
    SET active_channel = coalesce(nullif(%(channel)s, ''), active_channel),
        newest_accept_time = greatest(newest_accept_time, %(accept_time)s),
        newest_ever_accept_time = greatest(newest_ever_accept_time, %(accept_time)s)
    WHERE app_id = %(app)s AND contact_id = %(contact)s AND stopped_at IS NULL
    RETURNING id, metadata_json, correlation_id
"""
# In the model's order, as from_db wants them.
_JOINED: Final = ["id", "project_id", "app_id", "contact_id", "metadata_json", "correlation_id"]


def join(
    *, app: App, contact: Contact, accept_time: datetime | None, channel: Channel | None, now: datetime
) -> Conversation:
    """The active conversation, which now holds a message of `accept_time`; a new one where none is active.

    Within the caller's transaction. The row is written before the message, so that a purge that looks at it waits,
    or has already taken it away. For what is no message `accept_time` is None: it makes no conversation younger.
    """
    terms = {
        "app": ids.to_uuid(app.id),
        "contact": ids.to_uuid(contact.id),
        "channel": channel or "",
        "accept_time": accept_time,
    }
    while True:
        for row in statements.run(_JOIN, terms):
            return _joined(app, contact, *row)
        try:
            return _start(app=app, contact=contact, accept_time=accept_time, channel=channel, now=now)
        except IntegrityError as error:
            if not _has_just_started(error):
                raise


@transaction.atomic
def create(*, app: App, contact: Contact, fields: Mapping[str, Any], now: datetime) -> Conversation:
    """One that holds no message yet. Raises ValidationError where another is active with this contact."""
    conversation = Conversation(project_id=app.project_id, app=app, contact=contact)
    _write(conversation, fields, now)
    conversation.save(force_insert=True)
    _publish(Trigger.CONVERSATION_START, conversation, now)
    return conversation


@transaction.atomic
def change(conversation: Conversation, *, fields: Mapping[str, Any], now: datetime) -> None:
    """Set these fields and leave the others. Raises ValidationError where another is active with this contact."""
    was_active = conversation.is_active
    _write(conversation, fields, now)
    conversation.save()
    if was_active and not conversation.is_active:
        _publish(Trigger.CONVERSATION_STOP, conversation, now)


def stop(conversation: Conversation, *, now: datetime) -> None:
    """End it: the next message starts a new one. Stopping a stopped one changes nothing."""
    if not conversation.is_active:
        return
    conversation.stopped_at = now
    conversation.save(update_fields=["stopped_at"])
    _publish(Trigger.CONVERSATION_STOP, conversation, now)


def tell_deleted(conversation: Conversation, *, now: datetime) -> None:
    """CONVERSATION_DELETE, while its row is still there."""
    _publish(Trigger.CONVERSATION_DELETE, conversation, now)


def remember(
    conversation: Conversation,
    *,
    correlation_id: str = "",
    metadata: dict[str, Any] | None,
    merge: bool = False,
) -> None:
    """What a send gives for the conversation stays until another replaces it; what it does not give stays.

    Raises ValidationError where merged metadata would be too long.
    """
    if not correlation_id and metadata is None:
        return
    if correlation_id:
        conversation.correlation_id = correlation_id
    if metadata is not None:
        conversation.metadata_json = patched(conversation.metadata_json, metadata) if merge else metadata
    conversation.save(update_fields=["correlation_id", "metadata_json"])


@transaction.atomic
def _start(
    *, app: App, contact: Contact, accept_time: datetime | None, channel: Channel | None, now: datetime
) -> Conversation:
    conversation = Conversation.objects.create(
        project_id=app.project_id,
        app=app,
        contact=contact,
        active_channel=channel or "",
        newest_accept_time=accept_time,
        newest_ever_accept_time=accept_time,
    )
    _publish(Trigger.CONVERSATION_START, conversation, now)
    return conversation


def _joined(
    app: App, contact: Contact, conversation_id: UUID, metadata: str, correlation_id: str
) -> Conversation:
    """As much of it as those who join need; the rest is read when somebody asks for it."""
    known = [ids.from_uuid(conversation_id), app.project_id, app.id, contact.id, json.loads(metadata)]
    return Conversation.from_db(DEFAULT_DB_ALIAS, _JOINED, [*known, correlation_id])


def _has_just_started(error: IntegrityError) -> bool:
    """Whether another message was quicker to start the conversation."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", "") == "conversation_is_one_active_per_app_and_contact"


def _write(conversation: Conversation, fields: Mapping[str, Any], now: datetime) -> None:
    for name, value in fields.items():
        match name, value:
            case "active", False:
                conversation.stopped_at = conversation.stopped_at or now
            case "active", True:
                conversation.stopped_at = None
            case _:
                setattr(conversation, name, value)
    conversation.validate_constraints(exclude={"project", "app"})


def _publish(trigger: Trigger, conversation: Conversation, now: datetime) -> None:
    about = About(accepted_time=now, event_time=now, correlation_id=conversation.correlation_id)
    payload = {"conversation": payloads.conversation(conversation)}
    publish(app=conversation.app, trigger=trigger, payload=payload, about=about)


def patched(current: Mapping[str, Any] | None, patch: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata with what a send merges into it. Raises ValidationError where all of it together is too long."""
    whole: dict[str, Any] = merged(current, patch)
    try:
        contents.metadata_json(whole)
    except ValidationError as error:
        raise ValidationError({"conversation_metadata": error.detail}) from error
    return whole


def merged(current: Any, patch: Any) -> Any:
    """RFC 7396: null removes a key, an object merges, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(current) if isinstance(current, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
