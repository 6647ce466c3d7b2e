"""How conversations, messages and what happens to them look on the wire, in answers and in callbacks alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from contacts.payloads import channel_identity
from conversations.composing.templating import LATEST
from conversations.models import (
    Conversation,
    ConversationEvent,
    Direction,
    Message,
    Status,
    Template,
    TemplateTranslation,
)
from gateway.channels.base import APP_SCOPED, Reason
from projects.models import App, ReportView
from projects.requests.wire import compact, timestamp

# What is told of a message. Lists read these columns and no instances, which would cost more than the query.
MESSAGE: Final = (
    *("id", "direction", "content", "app_id", "channel", "identity", "conversation_id", "metadata"),
    *("accept_time", "sender_id", "processing_mode", "injected", "status", "status_at", "reason"),
)


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


def message(row: Message | Any, *, contact_id: str) -> dict[str, Any]:
    """The contract's ConversationMessage, of a row with the columns of `MESSAGE`.

    ACCEPTED is our own word and is left out.
    """
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


def identity_of(row: Message | ConversationEvent | Any) -> dict[str, str] | None:
    """The channel identity that was chosen, or that wrote; None before one is known."""
    if not row.channel:
        return None
    return channel_identity(row.channel, row.identity, row.app_id if row.channel in APP_SCOPED else "")


def reported_metadata(app: App, metadata: Mapping[str, Any] | None) -> str:
    """A conversation's metadata as inbound callbacks tell it: JSON text, where the app's report is FULL."""
    if not metadata or app.conversation_metadata_report_view != ReportView.FULL:
        return ""
    return compact(metadata).decode()


def reason(why: Reason | None) -> dict[str, str] | None:
    """The contract's Reason."""
    if why is None:
        return None
    told = {"code": why.code.value, "description": why.description, "sub_code": why.sub_code}
    return told | ({"channel_code": why.channel_code} if why.channel_code else {})


def template(row: Template) -> dict[str, Any]:
    """The contract's Template, as a client wrote it."""
    return {
        "id": row.public_id,
        "description": row.description,
        "version": row.version,
        "default_translation": row.default_translation,
        "translations": [translation(one) for one in row.current],
        "create_time": timestamp(row.created_at),
        "update_time": timestamp(row.updated_at),
    }


def template_as_read(row: Template) -> dict[str, Any]:
    """The same with the newest translation of each language once more, as "latest": so the vendor's service has it."""
    whole = template(row)
    return whole | {"translations": whole["translations"] + latest(row)}


def latest(row: Template) -> list[dict[str, Any]]:
    """The newest translation of each language, under that version."""
    return [translation(one) | {"version": LATEST} for one in row.newest]


def translation(row: TemplateTranslation) -> dict[str, Any]:
    """The contract's template translation."""
    return {
        "language_code": row.language_code,
        "version": row.version,
        **row.message,
        "channel_template_overrides": row.channel_template_overrides,
        "variables": row.variables,
        "create_time": timestamp(row.created_at),
        "update_time": timestamp(row.updated_at),
    }
