"""How conversations, messages and what happens to them look on the wire, in answers and in callbacks alike."""

from __future__ import annotations

from typing import Any

from contacts.payloads import channel_identity
from conversations.models import Conversation, Direction, Message, Status
from gateway.channels.base import APP_SCOPED, Reason
from projects.wire import timestamp


def conversation(row: Conversation) -> dict[str, Any]:
    """The contract's Conversation."""
    return {
        "id": row.id,
        "app_id": row.app_id,
        "contact_id": row.contact_id or "",
        "active": row.is_active,
        "active_channel": row.active_channel or "CHANNEL_UNSPECIFIED",
        "last_received": timestamp(row.last_received),
        "metadata": row.metadata,
        "metadata_json": row.metadata_json,
        "correlation_id": row.correlation_id,
    }


def message(row: Message, *, contact_id: str) -> dict[str, Any]:
    """The contract's ConversationMessage. ACCEPTED is our own word and is left out."""
    body = "app_message" if row.direction == Direction.TO_CONTACT else "contact_message"
    told = None
    if row.status not in ("", Status.ACCEPTED) and row.status_at:
        told = {"status": row.status, "event_time": timestamp(row.status_at), "reason": row.reason}
    return {
        "id": row.id,
        "direction": row.direction,
        body: row.content,
        "channel_identity": identity_of(row),
        "conversation_id": row.conversation_id or "",
        "contact_id": contact_id,
        "metadata": row.metadata,
        "accept_time": timestamp(row.accept_time),
        "sender_id": row.sender_id,
        "processing_mode": row.processing_mode,
        "injected": row.injected,
        "message_status": told,
    }


def inbound(row: Message, *, contact_id: str) -> dict[str, Any]:
    """The body of MESSAGE_INBOUND."""
    whole = message(row, contact_id=contact_id)
    del whole["message_status"]
    return whole


def submitted(row: Message, *, contact_id: str) -> dict[str, Any]:
    """The body of MESSAGE_SUBMIT: the message as sent, and the first channel on its route."""
    return {
        "message_id": row.id,
        "conversation_id": row.conversation_id or "",
        "channel_identity": identity_of(row),
        "contact_id": contact_id,
        "submitted_message": row.content,
        "metadata": row.metadata,
        "processing_mode": row.processing_mode,
    }


def delivery(row: Message, *, contact_id: str, status: str, reason: dict[str, Any] | None) -> dict[str, Any]:
    """The body of MESSAGE_DELIVERY: what became of the message on the channel it was tried on."""
    return {
        "message_id": row.id,
        "conversation_id": row.conversation_id or "",
        "status": status,
        "channel_identity": identity_of(row),
        "contact_id": contact_id,
        **({"reason": reason} if reason else {}),
        "metadata": row.metadata,
        "processing_mode": row.processing_mode,
    }


def identity_of(row: Message) -> dict[str, str] | None:
    """The channel identity that was chosen, or that wrote; None before one is known."""
    if not row.channel:
        return None
    return channel_identity(row.channel, row.identity, row.app_id if row.channel in APP_SCOPED else "")


def reason(why: Reason | None) -> dict[str, str] | None:
    """The contract's Reason."""
    if why is None:
        return None
    told = {"code": why.code.value, "description": why.description, "sub_code": why.sub_code}
    return told | ({"channel_code": why.channel_code} if why.channel_code else {})
