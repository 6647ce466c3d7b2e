"""What may stand in an AppMessage: the contract's message types, their required fields and limits."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any, Final

import orjson
from rest_framework.exceptions import ValidationError

from gateway.channels.base import Channel

Problem = tuple[str, str]  # a path in the message, and what is wrong there
Check = Callable[[Any, str], Iterator[Problem]]


def checked(content: Any) -> dict[str, Any]:
    """The message, if it has exactly one type, or content for single channels. Raises ValidationError."""
    if not isinstance(content, dict):
        raise ValidationError(["must be an object"])
    problems = list(_app_message(content))
    if problems:
        raise ValidationError({path: [problem] for path, problem in problems})
    return content


def checked_of_contact(content: Any) -> dict[str, Any]:
    """A ContactMessage, if it has exactly one type. Raises ValidationError."""
    if not isinstance(content, dict):
        raise ValidationError(["must be an object"])
    problems = list(_one_of(**CONTACT_KINDS)(content, ""))
    if content.get("reply_to") is not None:
        problems += _fields(message_id=_text)(content["reply_to"], "reply_to")
    if problems:
        raise ValidationError({path.lstrip("."): [problem] for path, problem in problems})
    return content


def checked_of_template(content: Any) -> dict[str, Any]:
    """What a template says: exactly one type of AppMessage, and no further template of ours. Raises ValidationError."""
    problems = list(_one_of(**{**KINDS, "template_message": _channel_templates})(content, ""))
    if problems:
        raise ValidationError({path.lstrip("."): [problem] for path, problem in problems})
    return dict(content)


def _app_message(content: Mapping[str, Any]) -> Iterator[Problem]:
    kinds = [kind for kind in KINDS if content.get(kind) is not None]
    if len(kinds) > 1:
        yield "", f"must hold one message type, not {' and '.join(kinds)}"
    if not kinds and not any(content.get(key) for key in BESIDE):
        yield "", f"must hold a message: one of {', '.join(KINDS)}"
    for kind in kinds:
        yield from KINDS[kind](content[kind], kind)
    for key in BESIDE:
        if content.get(key) is not None:
            yield from _object(content[key], key)


def _object(value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield path, "must be an object"


def _text(value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield path, "must be text"
    elif not value:
        yield path, "must not be empty"


def _number(lowest: float, highest: float) -> Check:
    def check(value: Any, path: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            yield path, f"must be a number from {lowest:g} to {highest:g}"

    return check


def _fields(optional: Mapping[str, Check] | None = None, **required: Check) -> Check:
    """An object that has these fields."""

    def check(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield path, "must be an object"
            return
        for name, inner in required.items():
            if value.get(name) is None:
                yield f"{path}.{name}", "is required"
            else:
                yield from inner(value[name], f"{path}.{name}")
        for name, inner in (optional or {}).items():
            if value.get(name) is not None:
                yield from inner(value[name], f"{path}.{name}")

    return check


def _list(inner: Check, *, most: int, fewest: int = 1) -> Check:
    def check(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield path, "must be a list"
            return
        if not fewest <= len(value) <= most:
            yield path, f"must have {fewest} to {most} entries"
        for index, item in enumerate(value):
            yield from inner(item, f"{path}[{index}]")

    return check


def _one_of(**kinds: Check) -> Check:
    """An object that has exactly one of these fields."""

    def check(value: Any, path: str) -> Iterator[Problem]:
        given = [kind for kind in kinds if isinstance(value, dict) and value.get(kind) is not None]
        if len(given) != 1:
            yield path, f"must have one of {', '.join(kinds)}"
        for kind in given:
            yield from kinds[kind](value[kind], f"{path}.{kind}")

    return check


def _string(value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield path, "must be text"


def _by(keys: Container[str] | None, inner: Check) -> Check:
    """An object with these keys, whichever of them; None: any."""

    def check(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield path, "must be an object"
            return
        for key, item in value.items():
            if keys is not None and key not in keys:
                yield f"{path}.{key}", "is not a channel"
            else:
                yield from inner(item, f"{path}.{key}")

    return check


def _template(value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict) or not (value.get("channel_template") or value.get("omni_template")):
        yield path, "must have channel_template or omni_template"
        return
    yield from _fields({"omni_template": _OMNI_TEMPLATE, "channel_template": _CHANNEL_TEMPLATE})(value, path)


def _channel_templates(value: Any, path: str) -> Iterator[Problem]:
    yield from _template(value, path)
    if isinstance(value, dict) and value.get("omni_template"):
        yield f"{path}.omni_template", "a template cannot refer to another one"


_TEXT: Final = _fields(text=_text)
_MEDIA: Final = _fields(url=_text)
_LOCATION: Final = _fields(
    coordinates=_fields(latitude=_number(-90, 90), longitude=_number(-180, 180)), title=_text
)
_CHOICE: Final = _one_of(
    text_message=_TEXT,
    call_message=_fields(phone_number=_text, title=_text),
    location_message=_LOCATION,
    url_message=_fields(title=_text, url=_text),
    calendar_message=_fields(
        title=_text, event_start=_text, event_end=_text, event_title=_text, fallback_url=_text
    ),
    share_location_message=_fields(title=_text, fallback_url=_text),
)
_CARD: Final = _fields({"media_message": _MEDIA, "choices": _list(_CHOICE, most=10, fewest=0)})
_ITEM: Final = _one_of(choice=_fields(title=_text), product=_fields(id=_text, marketplace=_text))
_PARAMETERS: Final = {"language_code": _string, "parameters": _by(None, _string)}
_OMNI_TEMPLATE: Final = _fields(_PARAMETERS, template_id=_text, version=_text)
_CHANNEL_TEMPLATE: Final = _by(
    frozenset(Channel), _fields({"version": _string} | _PARAMETERS, template_id=_text)
)

# wire contract 4.3
KINDS: Final[Mapping[str, Check]] = {
    "text_message": _TEXT,
    "media_message": _MEDIA,
    "card_message": _CARD,
    "carousel_message": _fields({"choices": _list(_CHOICE, most=3, fewest=0)}, cards=_list(_CARD, most=10)),
    "choice_message": _fields({"text_message": _TEXT}, choices=_list(_CHOICE, most=10)),
    "list_message": _fields(
        {"media": _MEDIA},
        title=_text,
        sections=_list(_fields(items=_list(_ITEM, most=1000)), most=1000),
    ),
    "location_message": _LOCATION,
    "template_message": _template,
    "contact_info_message": _fields(
        name=_fields(full_name=_text), phone_numbers=_list(_fields(phone_number=_text), most=1000)
    ),
}
# wire contract 4.4
CONTACT_KINDS: Final[Mapping[str, Check]] = {
    "text_message": _TEXT,
    "media_message": _MEDIA,
    "location_message": _LOCATION,
    "media_card_message": _MEDIA,
    "choice_response_message": _fields(message_id=_text, postback_data=_text),
    "product_response_message": _object,
    "fallback_message": _object,
    "channel_specific_message": _object,
}
# For single channels: these may stand beside a message type, or alone.
BESIDE: Final = ("explicit_channel_message", "explicit_channel_omni_message", "channel_specific_message")

LONGEST_METADATA_JSON: Final = 2048  # characters of compact JSON: wire contract 7


def metadata_json(metadata: dict[str, Any] | None) -> dict[str, Any] | None:
    """A conversation's metadata, if it is not too long. Raises ValidationError."""
    if metadata is not None and len(orjson.dumps(metadata).decode()) > LONGEST_METADATA_JSON:
        raise ValidationError([f"must have at most {LONGEST_METADATA_JSON} characters as compact JSON"])
    return metadata
