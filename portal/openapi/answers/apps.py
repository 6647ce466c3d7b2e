"""Apps, their webhooks, and the token that opens a project."""

from __future__ import annotations

from typing import Final

from portal.openapi import credentials
from portal.openapi.shapes import (
    COUNT,
    FLAG,
    ID,
    MASKED,
    TEXT,
    TIME,
    URL,
    WHOLE,
    many,
    member,
    or_null,
    record,
    ref,
)
from projects.models import ReportView
from retention.models import Category, OwedItem, Via
from retention.policies import Scope
from webhooks.models import TargetType, TokenRequestType

_ENABLED: Final = record(enabled=FLAG)
_POLICY: Final = record(
    "How long messages are kept.",
    retention_type=ref("PolicyType"),
    ttl_days={"type": "integer", "examples": [180]},
)

_GROUNDED: Final = {
    "id": ID,
    "scope": member(Scope.values),
    "retention_type": ref("PolicyType"),
    "ttl_days": WHOLE,
}

APPS: Final = {
    "ChannelCredential": credentials.answer(),
    "App": record(
        "What an API user talks through.",
        id=ID,
        display_name={**TEXT, "examples": ["Customer care"]},
        channel_credentials=many(ref("ChannelCredential")),
        conversation_metadata_report_view=member(ReportView.values),
        retention_policy=_POLICY,
        dispatch_retention_policy=_POLICY,
        processing_mode=ref("ProcessingMode"),
        smart_conversation=_ENABLED,
        callback_settings=record(secret_for_overridden_callback_urls=MASKED),
        message_retry_settings=record(retry_duration={"type": "integer", "examples": [3600]}),
        delivery_report_based_fallback=record(enabled=FLAG, delivery_report_waiting_time=COUNT),
        rate_limits=record("A second; 0 is none.", inbound=COUNT, outbound=COUNT, webhooks=COUNT),
        queue_stats=record(
            "Messages that wait for their channel, and how many may.",
            outbound_size=COUNT,
            outbound_limit=COUNT,
        ),
        persist_message_status=_ENABLED,
        message_search=_ENABLED,
    ),
    "Apps": record("All apps of the project.", apps=many(ref("App"))),
    "Justification": record(
        "The legal ground of a policy.",
        **_GROUNDED,
        category=member(Category.values),
        reference=TEXT,
        text=TEXT,
        review_on=or_null({"type": "string", "format": "date"}),
        given_via=member(Via.values),
        create_time=TIME,
    ),
    "Justifications": record(
        "What was given, the newest first, and what is owed.",
        justifications=many(ref("Justification")),
        owed=many(
            record(
                "Owed since a change by API.",
                **_GROUNDED,
                state=member(OwedItem.State.values),
                create_time=TIME,
                due_time=TIME,
            )
        ),
    ),
    "Webhook": record(
        "Where an app's events are told.",
        id=ID,
        app_id=ID,
        target=URL,
        target_type=member(TargetType.values, examples=["HTTP"]),
        secret=MASKED,
        triggers=many(ref("Trigger")),
        client_credentials=or_null(
            record(
                client_id={**TEXT, "examples": ["our-client"]},
                client_secret=MASKED,
                endpoint={**TEXT, "examples": ["https://example.com/oauth2/token"]},
                scope=TEXT,
                response_type=TEXT,
                token_request_type=member(TokenRequestType.values),
            )
        ),
        is_4xx_final={**FLAG, "description": "An extension: an answer of 4xx gives the event up."},
    ),
    "Webhooks": record("All webhooks of the app.", webhooks=many(ref("Webhook"))),
    "Empty": {"type": "object", "description": "Done; there is nothing to say.", "maxProperties": 0},
    "Token": record(
        "RFC 6749, 5.1.",
        access_token={**TEXT, "examples": ["eyJrIjoiMDFLM1pROCJ9:1vK0aB:Zm9v"]},
        expires_in={"type": "integer", "examples": [3599], "description": "Seconds."},
        scope={**TEXT, "examples": [""]},
        token_type={"type": "string", "const": "bearer"},
    ),
}
