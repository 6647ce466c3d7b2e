"""Samples: what each trigger's callback looks like, for test events and for people who read about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from gateway import signing
from projects.requests.wire import timestamp
from webhooks import publishing
from webhooks.models import Webhook
from webhooks.publishing import About
from webhooks.triggers import Trigger

APP_ID: Final = "01J8Y3R0000000000000000006"
METADATA: Final = "a test event"
CONTACT_ID: Final = "01J8Y3R0000000000000000003"
CONVERSATION_ID: Final = "01J8Y3R0000000000000000002"
MESSAGE_ID: Final = "01J8Y3R0000000000000000001"
EVENT_ID: Final = "01J8Y3R0000000000000000004"
REQUEST_ID: Final = "01J8Y3R0000000000000000005"
NUMBER: Final = "46700000001"
IDENTITY: Final = {"channel": "SMS", "identity": NUMBER, "app_id": ""}
MODE: Final = "CONVERSATION"
REASON: Final = {
    "code": "RECIPIENT_NOT_REACHABLE",
    "description": "The number is not in use.",
    "sub_code": "UNSPECIFIED_SUB_CODE",
}

_PLACE: Final = {"conversation_id": CONVERSATION_ID, "contact_id": CONTACT_ID, "channel_identity": IDENTITY}
_CONTACT: Final = {
    "id": CONTACT_ID,
    "channel_identities": [IDENTITY],
    "channel_priority": ["SMS"],
    "display_name": "Ada Sample",
    "email": "ada@example.com",
    "external_id": "customer-4711",
    "language": "EN_GB",
    "metadata": "",
}
_CONSENT: Final = {
    "request_id": REQUEST_ID,
    "contact_id": CONTACT_ID,
    "channel": "SMS",
    "identity": NUMBER,
    "processing_mode": MODE,
}


def payload(trigger: Trigger, *, app_id: str, at: datetime) -> Mapping[str, Any]:
    """What stands under the trigger's body key. Raises KeyError for a trigger that is never fired."""
    return _payloads(app_id, timestamp(at))[trigger]


def body(webhook: Webhook, trigger: Trigger, *, now: datetime) -> bytes:
    """A whole callback in the bytes that are signed and sent. Raises KeyError as `payload` does."""
    is_of_contact = trigger.startswith("CONTACT_")
    app_id = "" if is_of_contact else webhook.app_id
    envelope = publishing.envelope(
        app_id=app_id,
        project_id=str(webhook.project_id),
        trigger=trigger,
        payload=payload(trigger, app_id=webhook.app_id, at=now - timedelta(seconds=2)),
        about=About(accepted_time=now - timedelta(seconds=2), event_time=now, message_metadata=METADATA),
    )
    return signing.encode(envelope)


def _payloads(app_id: str, at: str) -> dict[Trigger, Mapping[str, Any]]:
    conversation = {"conversation": _conversation(app_id, at)}
    contact = {"contact": _CONTACT}
    return {
        Trigger.MESSAGE_SUBMIT: _PLACE
        | {
            "message_id": MESSAGE_ID,
            "submitted_message": {"text_message": {"text": "Your parcel arrives today."}},
            "metadata": METADATA,
            "processing_mode": MODE,
        },
        Trigger.MESSAGE_DELIVERY: _receipt("message_id", MESSAGE_ID, "DELIVERED"),
        Trigger.MESSAGE_INBOUND: _inbound(
            MESSAGE_ID, {"contact_message": {"text_message": {"text": "Thank you!"}}}, at
        )
        | {"metadata": "", "sender_id": "46700000099", "injected": False},
        Trigger.EVENT_DELIVERY: _receipt("event_id", EVENT_ID, "FAILED") | {"reason": REASON},
        Trigger.EVENT_INBOUND: _inbound(EVENT_ID, {"contact_event": {"composing_event": {}}}, at),
        Trigger.CONVERSATION_START: conversation,
        Trigger.CONVERSATION_STOP: {"conversation": conversation["conversation"] | {"active": False}},
        Trigger.CONVERSATION_DELETE: {"conversation": conversation["conversation"] | {"active": False}},
        Trigger.CONTACT_CREATE: contact,
        Trigger.CONTACT_UPDATE: contact,
        Trigger.CONTACT_DELETE: contact,
        Trigger.CONTACT_MERGE: {
            "preserved_contact": _CONTACT,
            "deleted_contact": _CONTACT | {"id": EVENT_ID, "external_id": "customer-4712"},
        },
        Trigger.CONTACT_IDENTITIES_DUPLICATION: {
            "duplicated_identities": [IDENTITY | {"contact_ids": [CONTACT_ID, EVENT_ID]}]
        },
        Trigger.CAPABILITY: {
            "request_id": REQUEST_ID,
            "contact_id": CONTACT_ID,
            "channel": "RCS",
            "identity": NUMBER,
            "capability_status": "CAPABILITY_PARTIAL",
            "channel_capabilities": ["RCS_CAPABILITY_RICHCARD_CAROUSEL"],
        },
        Trigger.OPT_IN: _CONSENT | {"status": "OPT_IN_SUCCEEDED"},
        Trigger.OPT_OUT: _CONSENT | {"status": "OPT_OUT_SUCCEEDED"},
        Trigger.CHANNEL_EVENT: {
            "channel_event": {
                "channel": "WHATSAPP",
                "event_type": "WHATS_APP_QUALITY_RATING_CHANGED",
                "additional_data": {"quality_rating": "MEDIUM"},
            }
        },
        Trigger.UNSUPPORTED: _PLACE
        | {
            "id": EVENT_ID,
            "channel": "SMS",
            "payload": '{"type":"something new"}',
            "processing_mode": MODE,
        },
    }


def _conversation(app_id: str, at: str) -> dict[str, Any]:
    return {
        "id": CONVERSATION_ID,
        "app_id": app_id,
        "contact_id": CONTACT_ID,
        "active": True,
        "active_channel": "SMS",
        "last_received": at,
        "metadata": "",
        "metadata_json": {},
        "correlation_id": "",
    }


def _inbound(id_: str, content: Mapping[str, Any], at: str) -> dict[str, Any]:
    return {
        "id": id_,
        "direction": "TO_APP",
        **content,
        **_PLACE,
        "accept_time": at,
        "processing_mode": MODE,
    }


def _receipt(key: str, id_: str, status: str) -> dict[str, Any]:
    place = (
        _PLACE if key == "message_id" else {name: _PLACE[name] for name in ("contact_id", "channel_identity")}
    )
    return place | {key: id_, "status": status, "metadata": METADATA, "processing_mode": MODE}


TRIGGERS: Final = tuple(_payloads("", ""))  # of which there are samples: those that are fired
