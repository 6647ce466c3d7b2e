"""Webhooks, the events they listen to, and what became of each delivery."""

from webhooks.models.conditions import Condition
from webhooks.models.deliveries import TO_ONE_RECEIVER, Attempt, DeadLetter
from webhooks.models.events import Event, OfMessage
from webhooks.models.replays import FASTEST, Replay
from webhooks.models.secrets import RetiredSecret
from webhooks.models.webhooks import (
    LONGEST_CLIENT_ID,
    LONGEST_RESPONSE_TYPE,
    LONGEST_SCOPE,
    TargetType,
    TokenRequestType,
    Webhook,
    WebhookQuerySet,
    may_be_called,
)

__all__ = [
    "FASTEST",
    "LONGEST_CLIENT_ID",
    "LONGEST_RESPONSE_TYPE",
    "LONGEST_SCOPE",
    "TO_ONE_RECEIVER",
    "Attempt",
    "Condition",
    "DeadLetter",
    "Event",
    "OfMessage",
    "Replay",
    "RetiredSecret",
    "TargetType",
    "TokenRequestType",
    "Webhook",
    "WebhookQuerySet",
    "may_be_called",
]
