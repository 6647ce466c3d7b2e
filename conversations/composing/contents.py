"""What may stand in an AppMessage: the contract's message types, their required fields and limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rest_framework.exceptions import ValidationError

from conversations.composing.grammar import (
    ANYTHING,
    OBJECT,
    STRING,
    TEXT,
    Problem,
    Rule,
    by,
    many,
    member,
    named,
    number,
    one_of,
    record,
)
from gateway.channels.base import Channel
from projects.requests.wire import compact


def checked(content: Any) -> dict[str, Any]:
    """The message, if it has exactly one type, or content for single channels. Raises ValidationError."""
    if not isinstance(content, dict):
        raise ValidationError(["must be an object"])
    return _kept(content, _app_message(content))


def checked_of_contact(content: Any) -> dict[str, Any]:
    """A ContactMessage, if it has exactly one type. Raises ValidationError."""
    if not isinstance(content, dict):
        raise ValidationError(["must be an object"])
    return _kept(content, CONTACT_MESSAGE.problems(content, ""))


def checked_of_template(content: Any) -> dict[str, Any]:
    """What a template says: exactly one type of AppMessage, and no further template of ours. Raises ValidationError."""
    return _kept(dict(content), one_of(TEMPLATE_KINDS).problems(content, ""))


def _kept(content: dict[str, Any], found: Iterator[Problem]) -> dict[str, Any]:
    if problems := {path.lstrip("."): [problem] for path, problem in found}:
        raise ValidationError(problems)
    return {key: _without_nulls(value, key) for key, value in content.items() if value is not None}


def _without_nulls(value: Any, key: str) -> Any:
    """Null is absence; read back, it would be a second kind to clients that look at the keys: wire contract 8."""
    match value:
        case dict() if key not in _OPEN:
            return {name: _without_nulls(inner, name) for name, inner in value.items() if inner is not None}
        case list() if key not in _OPEN:
            return [_without_nulls(item, "") for item in value]
    return value


def _app_message(content: Mapping[str, Any]) -> Iterator[Problem]:
    kinds = [kind for kind in KINDS if content.get(kind) is not None]
    if len(kinds) > 1:
        yield "", f"must hold one message type, not {' and '.join(kinds)}"
    if not kinds and not any(content.get(key) for key in BESIDE):
        yield "", f"must hold a message: one of {', '.join(KINDS)}"
    for name, rule in {**KINDS, **BESIDE, "agent": AGENT}.items():
        if content.get(name) is not None:
            yield from rule.problems(content[name], name)


def _template(value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict) or not (value.get("channel_template") or value.get("omni_template")):
        yield path, "must have channel_template or omni_template"
        return
    yield from _TEMPLATES.problems(value, path)


def _channel_templates(value: Any, path: str) -> Iterator[Problem]:
    yield from _template(value, path)
    if isinstance(value, dict) and value.get("omni_template"):
        yield f"{path}.omni_template", "a template cannot refer to another one"


_MOST: Final = 1000  # of what the contract sets no limit for
_CHANNELS: Final = frozenset(Channel)
_OPEN: Final = frozenset({"postback_data", "channel_specific_message"})  # any JSON, null too

_TEXT: Final = named("TextMessage", "A text.", record(text=TEXT))
_MEDIA: Final = named(
    "MediaMessage",
    "A picture, a film, a sound or a document, by its address.",
    record({"thumbnail_url": STRING, "filename_override": STRING}, url=TEXT),
)
_LOCATION: Final = named(
    "LocationMessage",
    "A place on the map.",
    record(
        {"label": STRING},
        coordinates=record(latitude=number(-90, 90), longitude=number(-180, 180)),
        title=TEXT,
    ),
)
_CHOICE: Final = named(
    "Choice",
    "One thing that the contact can tap on.",
    one_of(
        {
            "text_message": _TEXT,
            "call_message": record(phone_number=TEXT, title=TEXT),
            "location_message": _LOCATION,
            "url_message": record(title=TEXT, url=TEXT),
            "calendar_message": record(
                {"event_description": STRING},
                title=TEXT, event_start=TEXT, event_end=TEXT, event_title=TEXT, fallback_url=TEXT,
            ),
            "share_location_message": record(title=TEXT, fallback_url=TEXT),
        },
        beside={
            "postback_data": ANYTHING,
            "display_mode": member("DISPLAY_MODE_UNSPECIFIED", "PERSISTENT"),
        },
    ),
)  # fmt: skip
_CARD: Final = named(
    "CardMessage",
    "A title, a text, a medium and up to 10 choices.",
    record(
        {
            "title": STRING,
            "description": STRING,
            "height": member("UNSPECIFIED_HEIGHT", "SHORT", "MEDIUM", "TALL"),
            "media_message": _MEDIA,
            "choices": many(_CHOICE, most=10, fewest=0),
            "message_properties": OBJECT,
        }
    ),
)
_PRODUCT: Final = record(
    {"quantity": ANYTHING, "item_price": ANYTHING, "currency": STRING}, id=TEXT, marketplace=TEXT
)
_ITEM: Final = one_of(
    {
        "choice": record({"description": STRING, "media": _MEDIA, "postback_data": ANYTHING}, title=TEXT),
        "product": _PRODUCT,
    }
)
_PARAMETERS: Final = {"language_code": STRING, "parameters": by(None, STRING)}
_OMNI_TEMPLATE: Final = record(_PARAMETERS, template_id=TEXT, version=TEXT)
_TEMPLATES: Final = record(
    {
        "omni_template": _OMNI_TEMPLATE,
        "channel_template": by(_CHANNELS, record({"version": STRING} | _PARAMETERS, template_id=TEXT)),
    }
)
AGENT: Final = named(
    "Agent",
    "Who speaks for the app.",
    record(
        {
            "display_name": STRING,
            "type": member("UNKNOWN_AGENT_TYPE", "HUMAN", "BOT"),
            "picture_url": STRING,
        }
    ),
)

# wire contract 4.3
KINDS: Final[Mapping[str, Rule]] = {
    "text_message": _TEXT,
    "media_message": _MEDIA,
    "card_message": _CARD,
    "carousel_message": named(
        "CarouselMessage",
        "Cards side by side.",
        record({"choices": many(_CHOICE, most=3, fewest=0)}, cards=many(_CARD, most=10)),
    ),
    "choice_message": named(
        "ChoiceMessage",
        "A text with up to 10 choices.",
        record({"text_message": _TEXT, "message_properties": OBJECT}, choices=many(_CHOICE, most=10)),
    ),
    "list_message": named(
        "ListMessage",
        "Choices or products in sections.",
        record(
            {"description": STRING, "media": _MEDIA, "message_properties": OBJECT},
            title=TEXT,
            sections=many(record({"title": STRING}, items=many(_ITEM, most=_MOST)), most=_MOST),
        ),
    ),
    "location_message": _LOCATION,
    "template_message": named(
        "TemplateMessage",
        "A template of ours (`omni_template`), one that the channel keeps (`channel_template`), or both.",
        Rule(
            _template,
            {**_TEMPLATES.schema, "anyOf": [{"required": [key]} for key in _TEMPLATES.schema["properties"]]},
        ),
    ),
    "contact_info_message": named(
        "ContactInfoMessage",
        "A visiting card.",
        record(
            {
                "addresses": many(OBJECT, most=_MOST, fewest=0),
                "email_addresses": many(record({"type": STRING}, email_address=TEXT), most=_MOST, fewest=0),
                "organization": OBJECT,
                "urls": many(record({"type": STRING}, url=TEXT), most=_MOST, fewest=0),
                "birthday": STRING,
            },
            name=record(
                dict.fromkeys(("first_name", "last_name", "middle_name", "prefix", "suffix"), STRING),
                full_name=TEXT,
            ),
            phone_numbers=many(record({"type": STRING}, phone_number=TEXT), most=_MOST),
        ),
    ),
}
TEMPLATE_KINDS: Final = {**KINDS, "template_message": Rule(_channel_templates, _TEMPLATES.schema)}
# What one channel gets instead: a template of ours stands there by itself.
_OMNI_KINDS: Final = {kind: rule for kind, rule in KINDS.items() if kind != "template_message"} | {
    "template_reference": _OMNI_TEMPLATE
}
# For single channels: these may stand beside a message type, or alone.
BESIDE: Final[Mapping[str, Rule]] = {
    "explicit_channel_message": by(_CHANNELS, STRING),
    "explicit_channel_omni_message": by(_CHANNELS, one_of(_OMNI_KINDS)),
    "channel_specific_message": by(_CHANNELS, record(message_type=TEXT, message=OBJECT)),
}
# wire contract 4.4
CONTACT_MESSAGE: Final = named(
    "ContactMessage",
    "What a contact says: exactly one kind.",
    one_of(
        {
            "text_message": _TEXT,
            "media_message": _MEDIA,
            "location_message": _LOCATION,
            "media_card_message": record({"caption": STRING}, url=TEXT),
            "choice_response_message": record(message_id=TEXT, postback_data=TEXT),
            "product_response_message": OBJECT,
            "fallback_message": OBJECT,
            "channel_specific_message": OBJECT,
        },
        beside={"reply_to": record(message_id=TEXT)},
    ),
)
# Every rule that has a name.
NAMED: Final = (*KINDS.values(), _CHOICE, AGENT, CONTACT_MESSAGE)

LONGEST_METADATA_JSON: Final = 2048  # characters of compact JSON: wire contract 7


def metadata_json(metadata: dict[str, Any] | None) -> dict[str, Any] | None:
    """A conversation's metadata, if it is not too long. Raises ValidationError."""
    if metadata is not None and len(compact(metadata).decode()) > LONGEST_METADATA_JSON:
        raise ValidationError([f"must have at most {LONGEST_METADATA_JSON} characters as compact JSON"])
    return metadata
