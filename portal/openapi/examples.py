"""Examples: of requests as a person would write them, of answers as their shapes say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from portal.openapi.operations import Operation
from portal.openapi.shapes import EXAMPLE_ID, Shape

_OTHER_ID: Final = "01K3ZQ8F5N7VQ2M4T6XW9Y0ABD"
_TO_CONTACT: Final = {"contact_id": EXAMPLE_ID}
_TO_NUMBER: Final = {"identified_by": {"channel_identities": [{"channel": "SMS", "identity": "46700000001"}]}}
_SMS: Final = {"channel": "SMS", "identity": "46700000001"}
_AGO: Final = "2026-02-03T04:05:06Z"
_WELCOME: Final = {
    "id": "welcome",
    "description": "The first message to a new customer.",
    "default_translation": "en-US",
    "translations": [
        {
            "language_code": "en-US",
            "version": "1",
            "text_message": {"text": "Welcome, ${name}!"},
            "variables": [{"key": "name", "preview_value": "Ada"}],
        },
        {"language_code": "sv", "version": "1", "text_message": {"text": "Välkommen, ${name}!"}},
    ],
}

# By operation, each with a name.
REQUESTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "createApp": {
        "An app that speaks on the sandbox, then by SMS": {
            "display_name": "Customer care",
            "channel_credentials": [
                {"channel": "SANDBOX", "static_bearer": {"claimed_identity": "sender", "token": "any"}},
                {
                    "channel": "SMS",
                    "static_bearer": {"claimed_identity": "my-plan", "token": "its-api-token"},
                },
            ],
            "conversation_metadata_report_view": "FULL",
        },
        "An app with a Telegram bot": {
            "display_name": "Bot",
            "channel_credentials": [
                {"channel": "TELEGRAM", "telegram_credentials": {"token": "12345:a-bot-token"}}
            ],
        },
    },
    "updateApp": {
        "Keep messages for 90 days, and say why": {
            "retention_policy": {
                "retention_type": "MESSAGE_EXPIRE_POLICY",
                "ttl_days": 90,
                "justification": {
                    "category": "CONTRACT",
                    "reference": "Agreement 7, section 4",
                    "text": "The agreement with the customer allows no more than 90 days.",
                },
            }
        },
        "Another name": {"display_name": "Customer care, Europe"},
    },
    "createWebhook": {
        "Hear what contacts say and what becomes of messages": {
            "app_id": EXAMPLE_ID,
            "target": "https://example.com/callbacks",
            "target_type": "HTTP",
            "secret": "a-secret-of-our-own",
            "triggers": ["MESSAGE_INBOUND", "MESSAGE_DELIVERY"],
        }
    },
    "giveJustification": {
        "A contract": {
            "category": "CONTRACT",
            "text": "The agreement with the customer allows no more than 90 days.",
            "review_on": "2027-12-31",
        }
    },
    "placeLegalHold": {
        "Everything of an app in a month": {
            "scope": "APP",
            "app_id": EXAMPLE_ID,
            "start_time": "2026-01-01T00:00:00Z",
            "end_time": "2026-02-01T00:00:00Z",
            "matter": "Doe v. Roe",
            "text": "The court asked for what was said in January.",
        },
        "A contact's conversations": {"scope": "CONTACT", "contact_id": EXAMPLE_ID, "matter": "Audit 2026"},
    },
    "releaseLegalHold": {"A case that is closed": {"text": "Settled; our counsel agreed on 3 February."}},
    "sendTestEvent": {"A receipt": {"trigger": "MESSAGE_DELIVERY"}},
    "replayDeliveries": {
        "What failed in an hour, slowly": {
            "start_time": _AGO,
            "end_time": "2026-02-03T05:05:06Z",
            "only_failed": True,
            "per_second": 5,
        },
        "How many would that be?": {"start_time": _AGO, "dry_run": True},
    },
    "updateWebhook": {"Listen to receipts alone": {"triggers": ["MESSAGE_DELIVERY"]}},
    "createContact": {
        "A person with a phone": {
            "channel_identities": [_SMS],
            "channel_priority": ["SMS"],
            "display_name": "Ada",
            "language": "EN",
        }
    },
    "updateContact": {"A mail address": {"email": "ada@example.com"}},
    "mergeContacts": {"Take in another contact": {"source_id": _OTHER_ID, "strategy": "MERGE"}},
    "getChannelProfile": {
        "A name on Messenger": {"app_id": EXAMPLE_ID, "recipient": _TO_CONTACT, "channel": "MESSENGER"}
    },
    "createSettings": {"One contact per number": {"contact_settings": {"unified_contact_id_enabled": True}}},
    "updateSettings": {"As many as like": {"contact_settings": {"unified_contact_id_enabled": False}}},
    "sendMessage": {
        "A text to a number": {
            "app_id": EXAMPLE_ID,
            "recipient": _TO_NUMBER,
            "message": {"text_message": {"text": "Your parcel is here."}},
            "message_metadata": "order-7",
        },
        "Choices to a contact, by WhatsApp or else by SMS": {
            "app_id": EXAMPLE_ID,
            "recipient": _TO_CONTACT,
            "message": {
                "choice_message": {
                    "text_message": {"text": "When shall we come?"},
                    "choices": [
                        {"text_message": {"text": "Today"}, "postback_data": "today"},
                        {"url_message": {"title": "Another day", "url": "https://example.com/days"}},
                    ],
                }
            },
            "channel_priority_order": ["WHATSAPP", "SMS"],
            "ttl": "3600s",
            "queue": "HIGH_PRIORITY",
        },
        "A template of ours": {
            "app_id": EXAMPLE_ID,
            "recipient": _TO_CONTACT,
            "message": {
                "template_message": {
                    "omni_template": {
                        "template_id": "welcome",
                        "version": "1",
                        "language_code": "en-US",
                        "parameters": {"name": "Ada"},
                    }
                }
            },
        },
    },
    "fetchLastMessages": {"The newest message of two people": {"contact_ids": [EXAMPLE_ID, _OTHER_ID]}},
    "transcodeMessage": {
        "A place, as SMS and WhatsApp": {
            "app_id": EXAMPLE_ID,
            "app_message": {
                "location_message": {
                    "title": "Our shop",
                    "coordinates": {"latitude": 59.33, "longitude": 18.06},
                }
            },
            "channels": ["SMS", "WHATSAPP"],
        }
    },
    "updateMessage": {"Other metadata": {"metadata": "order-8"}},
    "createConversation": {
        "With metadata of its own": {
            "app_id": EXAMPLE_ID,
            "contact_id": EXAMPLE_ID,
            "metadata_json": {"case": 7},
        }
    },
    "updateConversation": {"Another case": {"metadata_json": {"case": 8}}},
    "injectMessage": {
        "What somebody wrote elsewhere": {
            "contact_message": {"text_message": {"text": "Hello?"}},
            "accept_time": _AGO,
            "channel_identity": _SMS,
            "contact_id": EXAMPLE_ID,
            "direction": "TO_APP",
        }
    },
    "injectEvent": {
        "An agent came": {
            "app_event": {"agent_joined_event": {"agent": {"display_name": "Bo", "type": "HUMAN"}}},
            "accept_time": _AGO,
        }
    },
    "sendEvent": {
        "Somebody is typing": {
            "app_id": EXAMPLE_ID,
            "recipient": _TO_CONTACT,
            "event": {"composing_event": {}},
        }
    },
    "queryCapability": {
        "What can this number do?": {
            "app_id": EXAMPLE_ID,
            "recipient": _TO_NUMBER,
            "request_id": "question-1",
        }
    },
    "createTemplate": {"Two languages": _WELCOME},
    "replaceTemplate": {"From version 1": {**_WELCOME, "version": 1}},
}


def of(line: Operation) -> dict[str, Any]:
    """The operation's requests, as OpenAPI lists examples."""
    return {
        f"{line.id}{number}": {"summary": summary, "value": value}
        for number, (summary, value) in enumerate(REQUESTS.get(line.id, {}).items(), start=1)
    }


def example(shape: Shape, *, among: Mapping[str, Shape]) -> Any:
    """What the shape says by example: the first of everything there may be. `among` are the components."""
    match shape:
        case {"examples": [first, *_]} | {"const": first} | {"enum": [first, *_]}:
            return first
        case {"$ref": name}:
            return example(among[name.rpartition("/")[2]], among=among)
        case {"anyOf": [first, *_]}:
            return example(first, among=among)
        case {"type": "object"}:
            fields = _fields(shape)
            return {name: example(inner, among=among) for name, inner in fields.items()}
        case {"type": "array", "items": item}:
            return [example(item, among=among)]
    return {
        "string": "text" if shape.get("minLength") else "",
        "integer": shape.get("minimum", 0),
        "boolean": False,
    }[shape["type"]]


def _fields(shape: Shape) -> dict[str, Shape]:
    """All of an object, and of several kinds the first."""
    first, *others = shape.get("oneOf", [{}])
    not_it = {name for kind in others for name in kind.get("required", ())} - set(first.get("required", ()))
    whole = {**shape.get("properties", {}), **first.get("properties", {})}
    return {name: inner for name, inner in whole.items() if name not in not_it}
