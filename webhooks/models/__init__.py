"""Webhooks, the events they listen to, and what became of each delivery."""

from webhooks.models.deliveries import TO_ONE_RECEIVER, Attempt, DeadLetter
from webhooks.models.events import Event, OfMessage
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
    "LONGEST_CLIENT_ID",
    "LONGEST_RESPONSE_TYPE",
    "LONGEST_SCOPE",
    "TO_ONE_RECEIVER",
    "Attempt",
    "DeadLetter",
    "Event",
    "OfMessage",
    "TargetType",
    "TokenRequestType",
    "Webhook",
    "WebhookQuerySet",
    "may_be_called",
]
