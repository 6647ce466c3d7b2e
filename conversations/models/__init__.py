"""What this room keeps: conversations, messages, events and templates, and what became of each."""

from conversations.models.conversations import Conversation, ConversationQuerySet
from conversations.models.events import CapabilityQuery, ConversationEvent
from conversations.models.keys import SentOnce
from conversations.models.messages import (
    UNSETTLED,
    Candidate,
    Direction,
    Message,
    MessageQuerySet,
    PendingEcho,
    Receipt,
    Status,
)
from conversations.models.templates import Template, TemplateTranslation

__all__ = [
    "UNSETTLED",
    "Candidate",
    "CapabilityQuery",
    "Conversation",
    "ConversationEvent",
    "ConversationQuerySet",
    "Direction",
    "Message",
    "MessageQuerySet",
    "PendingEcho",
    "Receipt",
    "SentOnce",
    "Status",
    "Template",
    "TemplateTranslation",
]
