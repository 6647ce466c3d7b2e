"""What webhooks are told: one entry for each trigger, with its body."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from gateway import signing
from gateway.channels.abilities import CapabilityStatus
from portal.openapi.shapes import (
    EXAMPLE_ID,
    EXAMPLE_PROJECT,
    ID_OR_EMPTY,
    PROJECT_ID,
    TEXT,
    TIME,
    Shape,
    many,
    member,
    or_null,
    record,
    ref,
)
from webhooks import publishing
from webhooks.publishing import About
from webhooks.triggers import BODY_KEYS, MEANINGS, Trigger
from webhooks.trying import samples

_AT: Final = datetime(2026, 2, 3, 4, 5, 6, 123456, UTC)

_CONVERSATION: Final = record(conversation=ref("Conversation"))
_CONTACT: Final = record(contact=ref("Contact"))
_DUPLICATES: Final = many(record(channel=ref("Channel"), identity=TEXT, app_id=TEXT, contact_ids=many(TEXT)))


def _consent(*statuses: str) -> Shape:
    return record(
        request_id=TEXT,
        contact_id=ID_OR_EMPTY,
        channel=ref("Channel"),
        identity=TEXT,
        status=member(statuses),
        processing_mode=ref("ProcessingMode"),
    )


# Of those that are fired.
_BODIES: Final[dict[Trigger, Shape]] = {
    Trigger.MESSAGE_SUBMIT: ref("MessageSubmitted"),
    Trigger.MESSAGE_DELIVERY: ref("MessageDelivery"),
    Trigger.MESSAGE_INBOUND: ref("InboundMessage"),
    Trigger.EVENT_DELIVERY: ref("EventDelivery"),
    Trigger.EVENT_INBOUND: ref("ConversationEvent"),
    Trigger.CONVERSATION_START: _CONVERSATION,
    Trigger.CONVERSATION_STOP: _CONVERSATION,
    Trigger.CONVERSATION_DELETE: _CONVERSATION,
    Trigger.CONTACT_CREATE: _CONTACT,
    Trigger.CONTACT_UPDATE: _CONTACT,
    Trigger.CONTACT_DELETE: _CONTACT,
    Trigger.CONTACT_MERGE: record(preserved_contact=ref("Contact"), deleted_contact=ref("Contact")),
    Trigger.CONTACT_IDENTITIES_DUPLICATION: record(duplicated_identities=_DUPLICATES),
    Trigger.CAPABILITY: record(
        "",
        {"reason": ref("Reason")},
        request_id=TEXT,
        contact_id=ID_OR_EMPTY,
        channel=ref("Channel"),
        identity=TEXT,
        capability_status=member(CapabilityStatus),
        channel_capabilities=many(TEXT),
    ),
    Trigger.OPT_IN: _consent("OPT_IN_SUCCEEDED"),
    Trigger.OPT_OUT: _consent("OPT_OUT_SUCCEEDED"),
    Trigger.CHANNEL_EVENT: record(
        channel_event=record(channel=ref("Channel"), event_type=TEXT, additional_data={"type": "object"}),
    ),
    Trigger.UNSUPPORTED: record(
        channel=ref("Channel"),
        payload={**TEXT, "description": "What the channel sent, as it came."},
        processing_mode=ref("ProcessingMode"),
        id=TEXT,
        contact_id=ID_OR_EMPTY,
        conversation_id=ID_OR_EMPTY,
        channel_identity=or_null(ref("ChannelIdentity")),
    ),
}

ENVELOPE: Final = record(
    "What every callback says; one more key says what happened.",
    app_id={**ID_OR_EMPTY, "description": "Empty where it is about a contact: they belong to all apps."},
    project_id=PROJECT_ID,
    accepted_time=TIME,
    event_time=TIME,
    message_metadata=TEXT,
    correlation_id=TEXT,
)

_SIGNATURES: Final = {
    signing.SIGNATURE: "Base64 of HMAC-SHA256 by the secret, over body + `.` + nonce + `.` + timestamp.",
    signing.NONCE: "Unique to this try.",
    signing.TIMESTAMP: "Unix seconds.",
    signing.ALGORITHM: "`HmacSHA256`.",
}


def webhooks() -> dict[str, Any]:
    """The `webhooks` of OpenAPI 3.1, by trigger."""
    return {trigger.value: {"post": _callback(trigger)} for trigger in Trigger}


def _callback(trigger: Trigger) -> dict[str, Any]:
    is_fired = trigger in samples.TRIGGERS
    return {
        "operationId": f"on{''.join(word.capitalize() for word in trigger.split('_'))}",
        "tags": ["Callbacks"],
        "summary": trigger.value,
        "description": MEANINGS[trigger],
        **({} if is_fired else {"deprecated": True}),
        "parameters": [_header(name, text) for name, text in _SIGNATURES.items()],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": _content(trigger) if is_fired else {"schema": {"type": "object"}}
            },
        },
        "responses": {
            "2XX": {"description": "Taken."},
            "default": {"description": "Told again, later and later, for three days."},
        },
    }


def _content(trigger: Trigger) -> dict[str, Any]:
    own = {BODY_KEYS[trigger]: _BODIES[trigger]}
    if trigger == Trigger.CONTACT_IDENTITIES_DUPLICATION:
        own["duplicated_identities"] = _DUPLICATES
    body = publishing.envelope(
        app_id="" if trigger.startswith("CONTACT_") else EXAMPLE_ID,
        project_id=EXAMPLE_PROJECT,
        trigger=trigger,
        payload=samples.payload(trigger, app_id=EXAMPLE_ID, at=_AT),
        about=About(accepted_time=_AT, event_time=_AT),
    )
    return {"schema": {"allOf": [ref("Envelope"), record(**own)]}, "example": body}


def _header(name: str, description: str) -> dict[str, Any]:
    described = f"{description} There where the webhook has a secret."
    return {"name": name, "in": "header", "description": described, "schema": TEXT}
