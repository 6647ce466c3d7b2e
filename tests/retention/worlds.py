"""Policies and satellites for tests: what `tests.factories` does not make."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from conversations.models import Candidate, Message, PendingEcho, Receipt
from projects import ids
from projects.models import App
from retention import changing
from retention.changing import Ground
from retention.deleting import satellites
from retention.models import RetentionPolicy, Via
from retention.policies import PolicyType, Scope
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
    return changing.change(
        app=app,
        retention_type=retention_type,
        ttl_days=ttl_days,
        scope=scope,
        via=via,
        ground=ground,
        now=now,
    )


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
