"""Conversations, messages and events, and what webhooks are told of them."""

from __future__ import annotations

from typing import Final

from conversations.composing.contents import AGENT, BESIDE, CONTACT_MESSAGE, KINDS, NAMED
from conversations.composing.grammar import Rule
from gateway.channels.base import Channel
from portal.openapi.shapes import (
    ANY_OBJECT,
    COUNT,
    FLAG,
    ID,
    ID_OR_EMPTY,
    TEXT,
    TIME,
    Shape,
    many,
    member,
    one_kind,
    or_null,
    page,
    record,
    ref,
)


def _app_message() -> Shape:
    """One message type, or content for single channels, or both."""
    fields: dict[str, Rule] = {**KINDS, **BESIDE, "agent": AGENT}
    alone = {"not": {"anyOf": [_has(kind) for kind in KINDS]}, "anyOf": [_says(key) for key in BESIDE]}
    return {
        "description": "What an app says: one message type, or content for single channels, alone or beside it.",
        "type": "object",
        "properties": {name: dict(rule.reference) for name, rule in fields.items()},
        "oneOf": [*map(_has, KINDS), {"title": "For single channels", **alone}],
    }


def _has(name: str) -> Shape:
    return {"required": [name]}


def _says(name: str) -> Shape:
    return {"required": [name], "properties": {name: {"minProperties": 1}}}


MESSAGES: Final = {
    "AppMessage": _app_message(),
    **{rule.name: dict(rule.schema) for rule in NAMED},
}

_PLACE: Final = {
    "conversation_id": ID_OR_EMPTY,
    "contact_id": ID_OR_EMPTY,
    "channel_identity": or_null(ref("ChannelIdentity")),
}
_SENT: Final = {"metadata": TEXT, "processing_mode": ref("ProcessingMode")}
_SAID: Final = {
    "id": ID,
    "direction": ref("Direction"),
    **_PLACE,
    "metadata": TEXT,
    "accept_time": TIME,
    "sender_id": TEXT,
    "processing_mode": ref("ProcessingMode"),
    "injected": FLAG,
}

CONVERSATIONS: Final = {
    "Reason": record(
        "Why a message failed, or went to another channel.",
        {"channel_code": {**TEXT, "description": "The provider's own."}},
        code=ref("ReasonCode"),
        description=TEXT,
        sub_code=TEXT,
    ),
    "Conversation": record(
        "Messages between an app and a contact.",
        id=ID,
        app_id=ID,
        contact_id=ID_OR_EMPTY,
        active=FLAG,
        active_channel=member([*Channel, "CHANNEL_UNSPECIFIED"], examples=["SMS"]),
        last_received={**TIME, "description": "1970 where nothing was received."},
        metadata=TEXT,
        metadata_json=or_null(ANY_OBJECT),
        correlation_id=TEXT,
    ),
    "Conversations": page(
        "Conversations, newest first.", conversations=many(ref("Conversation")), total_size=COUNT
    ),
    "RecentConversations": page(
        "Conversations by their last message.",
        conversations=many(
            record(conversation=ref("Conversation"), last_message=or_null(ref("ConversationMessage")))
        ),
        total_size=COUNT,
    ),
    "ConversationMessage": one_kind(
        record(
            "A stored message.",
            **_SAID,
            message_status=or_null(
                record(status=ref("DeliveryStatus"), event_time=TIME, reason=or_null(ref("Reason")))
            ),
        ),
        app_message=ref("AppMessage"),
        contact_message=ref(CONTACT_MESSAGE.name),
    ),
    "Messages": page("Messages, newest first.", messages=many(ref("ConversationMessage"))),
    "MessageAccepted": record("Stored and queued.", message_id=ID, accepted_time=TIME),
    "TranscodedMessage": record(
        "By channel what becomes of the message; empty where nothing of it can be sent.",
        transcoded_message={
            "type": "object",
            "additionalProperties": TEXT,
            "propertyNames": ref("Channel"),
            "examples": [{"SMS": "Your parcel is here."}],
        },
    ),
    "ConversationEvent": one_kind(
        record(
            "What an app or a contact did beside writing.",
            id=ID,
            direction=ref("Direction"),
            **_PLACE,
            accept_time=TIME,
            processing_mode=ref("ProcessingMode"),
        ),
        app_event=ref("AppEvent"),
        contact_event={"type": "object", "minProperties": 1},
        contact_message_event={"type": "object", "minProperties": 1},
    ),
    "Events": page("Events, newest first.", events=many(ref("ConversationEvent"))),
    "EventAccepted": record("Stored and queued.", event_id=ID, accepted_time=TIME),
    "CapabilityQuery": record(
        "The question; CAPABILITY tells the answers.",
        app_id=ID,
        recipient=ref("Addressee"),
        request_id={**TEXT, "examples": [ID["examples"][0]]},
    ),
    # What webhooks are told beside messages and events.
    "InboundMessage": one_kind(
        record("A message from a contact.", **_SAID), contact_message=ref(CONTACT_MESSAGE.name)
    ),
    "MessageSubmitted": record(
        "A message that was accepted, and the first channel on its route.",
        message_id=ID,
        **_PLACE,
        submitted_message=ref("AppMessage"),
        **_SENT,
    ),
    "MessageDelivery": record(
        "What became of a message on the channel that it was tried on.",
        {"reason": ref("Reason")},
        message_id=ID,
        status=ref("DeliveryStatus"),
        **_PLACE,
        **_SENT,
    ),
    "EventDelivery": record(
        "What became of an event on its channel.",
        {"reason": ref("Reason")},
        event_id=ID,
        status=ref("DeliveryStatus"),
        channel_identity=_PLACE["channel_identity"],
        contact_id=ID_OR_EMPTY,
        **_SENT,
    ),
}
