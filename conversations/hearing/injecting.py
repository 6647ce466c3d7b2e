"""Injecting: a message that was exchanged elsewhere takes its place in a conversation. It is stored, not sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Greatest

from contacts.resolving import Identity
from conversations.models import Conversation, Direction, Message
from projects.models import ProcessingMode

OLDEST: Final = timedelta(days=30)  # wire contract 4.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was said, and when."""

    direction: Direction
    content: Mapping[str, Any]
    accept_time: datetime
    identity: Identity
    sender_id: str = ""
    metadata: str = ""


@transaction.atomic
def inject(conversation: Conversation, past: Past, *, now: datetime) -> Message:
    """Store the message. Raises ValidationError when its time lies ahead, or more than 30 days back."""
    if not now - OLDEST <= past.accept_time <= now:
        raise ValidationError({"accept_time": "must be in the past, at most 30 days ago"})
    Conversation.objects.filter(pk=conversation.pk).update(
        newest_accept_time=Greatest("newest_accept_time", past.accept_time),
        newest_ever_accept_time=Greatest("newest_ever_accept_time", past.accept_time),
    )
    return Message.objects.create(
        project_id=conversation.project_id,
        app_id=conversation.app_id,
        conversation=conversation,
        direction=past.direction,
        content=past.content,
        accept_time=past.accept_time,
        processing_mode=ProcessingMode.CONVERSATION,
        injected=True,
        channel=past.identity.channel,
        identity=past.identity.identity,
        sender_id=past.sender_id,
        metadata=past.metadata,
        correlation_id=conversation.correlation_id,
    )
