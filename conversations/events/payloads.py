"""How events look on the wire, in answers and in callbacks alike."""

from __future__ import annotations

from typing import Any

from conversations import payloads
from conversations.models import ConversationEvent, Status
from gateway.channels.base import Reason
from projects.requests.wire import timestamp


def event(row: ConversationEvent) -> dict[str, Any]:
    """The contract's ConversationEvent, and the body of EVENT_INBOUND."""
    return {
        "id": row.id,
        "direction": row.direction,
        **row.content,
        "conversation_id": row.conversation_id or "",
        "contact_id": row.contact_id,
        "channel_identity": payloads.identity_of(row),
        "accept_time": timestamp(row.accept_time),
        "processing_mode": row.processing_mode,
    }


def delivery(row: ConversationEvent, status: Status, reason: Reason | None) -> dict[str, Any]:
    """The body of EVENT_DELIVERY: what became of the event on its channel."""
    return {
        "event_id": row.id,
        "status": status,
        "channel_identity": payloads.identity_of(row),
        "contact_id": row.contact_id,
        **({"reason": payloads.reason(reason)} if reason else {}),
        "metadata": row.metadata,
        "processing_mode": row.processing_mode,
    }
