"""The policy types: for each, what may go once it is older than the TTL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet

from conversations.events import settling
from conversations.models import UNSETTLED, Conversation, ConversationEvent, Message
from outbox.models import Entry
from projects.models import App, ProcessingMode
from webhooks.models import Event


class PolicyType(models.TextChoices):
    """Whose age decides, and whether any does."""

    MESSAGE_EXPIRE_POLICY = "MESSAGE_EXPIRE_POLICY", "Messages expire by their own age"
    CONVERSATION_EXPIRE_POLICY = "CONVERSATION_EXPIRE_POLICY", "Conversations expire by their last message"
    PERSIST_RETENTION_POLICY = "PERSIST_RETENTION_POLICY", "Kept until explicitly deleted"


class Scope(models.TextChoices):
    """Which messages: those of conversations, or those dispatched alone."""

    MESSAGES = "MESSAGES"
    DISPATCH = "DISPATCH"


# key concepts, "retention policy": 1 to 3650 days, 180 by default; wire contract 3.1 for DISPATCH
TTL_BOUNDS: Final = {Scope.MESSAGES: (1, 3650), Scope.DISPATCH: (0, 7)}
DEFAULT_TYPE: Final = PolicyType.MESSAGE_EXPIRE_POLICY
DEFAULT_TTL_DAYS: Final = {Scope.MESSAGES: 180, Scope.DISPATCH: 0}
IS_DEFAULT: Final = Q(
    scope=Scope.MESSAGES, retention_type=DEFAULT_TYPE, ttl_days=DEFAULT_TTL_DAYS[Scope.MESSAGES]
) | Q(scope=Scope.DISPATCH, retention_type=DEFAULT_TYPE, ttl_days=DEFAULT_TTL_DAYS[Scope.DISPATCH])


def type_choices() -> list[tuple[str, str]]:
    """Every policy type; a function, so that a new one makes no migration."""
    return list(PolicyType.choices)


def expired_messages(app: App, scope: Scope, cutoff: datetime) -> QuerySet[Message]:
    """Each message by its own age."""
    older = Message.objects.filter(app=app, accept_time__lt=cutoff)
    if scope == Scope.MESSAGES:
        return older.filter(processing_mode=ProcessingMode.CONVERSATION)
    # Kept 0 days perhaps, but not before its receipt is there and the callback that tells of it is through.
    waiting = Event.objects.filter(message_id=OuterRef("pk"), id__in=Entry.objects.values("ref"))
    dispatched = older.filter(processing_mode=ProcessingMode.DISPATCH)
    return dispatched.exclude(status__in=UNSETTLED).exclude(Exists(waiting))


def expired_conversations(app: App, _scope: Scope, cutoff: datetime) -> QuerySet[Conversation]:
    """Whole conversations, by the age of their last message; an empty one by its own."""
    return Conversation.objects.filter(app=app, expiry_anchor__lt=cutoff)


def expired_events(app: App, scope: Scope, cutoff: datetime) -> QuerySet[ConversationEvent]:
    """Each event by its own age, where messages go by theirs."""
    older = ConversationEvent.objects.filter(app=app, accept_time__lt=cutoff)
    if scope == Scope.MESSAGES:
        return older.filter(processing_mode=ProcessingMode.CONVERSATION)
    # As with messages; but many channels never report on an event, so it is not waited for without end.
    waiting = Event.objects.filter(message_id=OuterRef("pk"), id__in=Entry.objects.values("ref"))
    awaited = Q(status__in=UNSETTLED, accept_time__gte=cutoff - settling.AWAITED)
    return older.filter(processing_mode=ProcessingMode.DISPATCH).exclude(awaited).exclude(Exists(waiting))


def no_events(_app: App, _scope: Scope, _cutoff: datetime) -> QuerySet[ConversationEvent]:
    """Those that stay until their conversation goes."""
    return ConversationEvent.objects.none()


def nothing(_app: App, _scope: Scope, _cutoff: datetime) -> QuerySet[Message]:
    """What is kept until explicitly deleted."""
    return Message.objects.none()


# What may go under each type: messages, or whole conversations, that are strictly older than the cutoff.
EXPIRED: Final[dict[PolicyType, Callable[[App, Scope, datetime], QuerySet[Any]]]] = {
    PolicyType.MESSAGE_EXPIRE_POLICY: expired_messages,
    PolicyType.CONVERSATION_EXPIRE_POLICY: expired_conversations,
    PolicyType.PERSIST_RETENTION_POLICY: nothing,
}
# And which events, beside those that go with their conversation.
EXPIRED_EVENTS: Final[dict[PolicyType, Callable[[App, Scope, datetime], QuerySet[ConversationEvent]]]] = {
    PolicyType.MESSAGE_EXPIRE_POLICY: expired_events,
    PolicyType.CONVERSATION_EXPIRE_POLICY: no_events,
    PolicyType.PERSIST_RETENTION_POLICY: no_events,
}
