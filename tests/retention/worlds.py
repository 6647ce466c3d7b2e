"""Policies and satellites for tests: what `tests.factories` does not make; policies refused, and purges."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from conversations.deleting import satellites
from conversations.models import Candidate, Message, PendingEcho, Receipt, SentOnce
from projects import ids
from projects.models import App, User
from retention import holding, purging
from retention.deciding import changing
from retention.deciding.changing import Ground
from retention.deleting import batches
from retention.deleting.batches import Course
from retention.models import HoldScope, Justification, LegalHold, OwedItem, RetentionPolicy, Via
from retention.policies import PolicyType, Scope
from tests.factories import KEY, make_conversation, make_message, make_user
from webhooks.models import Attempt, DeadLetter, Event, OfMessage

MESSAGES = PolicyType.MESSAGE_EXPIRE_POLICY
CONVERSATIONS = PolicyType.CONVERSATION_EXPIRE_POLICY
PERSIST = PolicyType.PERSIST_RETENTION_POLICY
GROUND = Ground("CONTRACT", "", "The contract with our customers asks for this retention period.")


def set_policy(
    app: App,
    retention_type: PolicyType = MESSAGES,
    ttl_days: int = 30,
    *,
    now: datetime,
    scope: Scope = Scope.MESSAGES,
    via: Via = Via.PORTAL,
    ground: Ground | None = GROUND,
) -> RetentionPolicy | None:
    """As the portal does, with a ground."""
    by: dict[str, Any] = {"author": officer()} if via == Via.PORTAL else {}
    return changing.change(
        app=app,
        retention_type=retention_type,
        ttl_days=ttl_days,
        scope=scope,
        via=via,
        author_key=KEY if via == Via.API else None,
        ground=ground,
        now=now,
        **by,
    )


def officer() -> Any:
    """Who sets policies in the portal; one is enough."""
    return User.objects.filter(username="officer").first() or make_user(username="officer")


def rule(
    app: App, retention_type: PolicyType = MESSAGES, ttl_days: int = 30, *, now: datetime, **more: Any
) -> None:
    """A policy that has been in force for long."""
    set_policy(app, retention_type, ttl_days, now=now - timedelta(days=5000), **more)


def orbit(message: Message) -> list[OfMessage]:
    """One satellite of each kind for the message."""
    own: dict[type[OfMessage], dict[str, Any]] = {
        Candidate: {"position": 0, "level": "APP", "channel": "SANDBOX", "verdict": "TAKEN"},
        Receipt: {"status": "DELIVERED", "occurred_at": message.accept_time},
        PendingEcho: {
            "id": ids.to_uuid(message.id),
            "credential": message.app.credentials.first(),
            "headers": {},
            "body": b"",
        },
        SentOnce: {
            "project_id": message.project_id,
            "key_hash": message.id.encode(),
            "body_hash": b"",
        },
        Event: {"trigger": "MESSAGE_DELIVERY", "body": b"{}"},
        Attempt: {
            "event_id": message.id,
            "webhook_id": message.id,
            "number": 1,
            "result": "DELIVERED",
            "started_at": message.accept_time,
        },
        DeadLetter: {
            "event_id": message.id,
            "webhook_id": message.id,
            "reason": "gave up",
            "attempts": 9,
            "died_at": message.accept_time,
        },
    }
    shared = {"app": message.app, "message_id": message.id, "accept_time": message.accept_time}
    return [model._default_manager.create(**shared, **own[model]) for model in satellites()]


def satellites_left() -> int:
    """All rows of all satellites."""
    return sum(model._default_manager.count() for model in satellites())


def refused(field: str, app: App, now: datetime, *args: Any, **options: Any) -> str:
    """What the refusal says under the field; it changed nothing."""
    before = RetentionPolicy.objects.count(), Justification.objects.count(), OwedItem.objects.count()
    with pytest.raises(ValidationError) as refusal:
        set_policy(app, *args, now=now, **options)
    assert list(refusal.value.message_dict) == [field]
    assert before == (
        RetentionPolicy.objects.count(),
        Justification.objects.count(),
        OwedItem.objects.count(),
    )
    return str(refusal.value.message_dict[field][0])


def purge(now: datetime, **options: Any) -> tuple[int, int]:
    """How many messages and conversations went."""
    purged = purging.run(now=now, **options)
    return purged.messages, purged.conversations


def hold(app: App, scope: HoldScope = HoldScope.APP, *, now: datetime, **more: Any) -> LegalHold:
    if scope == HoldScope.APP:
        more["app"] = app
    return holding.place(project=app.project, scope=scope, matter="Case 7", now=now, **more)


def cover(scope: HoldScope, message: Message) -> dict[str, Any]:
    conversation = message.conversation
    assert conversation
    if scope == HoldScope.CONTACT:
        return {"contact_id": conversation.contact_id}
    return {"conversation_id": conversation.id} if scope == HoldScope.CONVERSATION else {}


def fill(app: App, number: int, *, accept_time: datetime, conversations: int = 1) -> None:
    """Many messages of one moment, spread over some conversations."""
    for _ in range(conversations):
        conversation = make_conversation(app, stopped_at=accept_time)
        message = make_message(conversation=conversation, accept_time=accept_time)
        Message.objects.bulk_create(
            Message(
                project_id=app.project_id,
                app=app,
                conversation=conversation,
                direction=message.direction,
                content={},
                accept_time=accept_time,
                processing_mode=message.processing_mode,
                status=message.status,
            )
            for _ in range(number // conversations - 1)
        )


def first_batch(app: App, now: datetime, **more: Any) -> batches.Batch:
    return batches.purge(app.pk, Course(part=0, at=now, **more))
