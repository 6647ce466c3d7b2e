"""What may stand in a message is checked and described by the same words."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rest_framework.exceptions import ValidationError

from conversations.composing import contents
from portal.openapi import document

CARD = {"title": "A card", "choices": [{"text_message": {"text": "Yes"}}]}
GOOD: dict[str, dict[str, Any]] = {
    "text_message": {"text": "hello"},
    "media_message": {"url": "https://example.com/a.png", "thumbnail_url": "https://example.com/b.png"},
    "card_message": CARD,
    "carousel_message": {"cards": [CARD]},
    "choice_message": {"choices": [{"call_message": {"phone_number": "46700000001", "title": "Call"}}]},
    "list_message": {"title": "Ours", "sections": [{"items": [{"choice": {"title": "This"}}]}]},
    "location_message": {"title": "Here", "coordinates": {"latitude": 59.3, "longitude": 18.1}},
    "template_message": {"omni_template": {"template_id": "welcome", "version": "1"}},
    "contact_info_message": {"name": {"full_name": "Ada"}, "phone_numbers": [{"phone_number": "467000001"}]},
}


def is_taken(message: dict[str, Any]) -> bool:
    try:
        contents.checked(message)
    except ValidationError:
        return False
    return True


def is_described(message: dict[str, Any]) -> bool:
    schema = document.document()
    app_message = {"$ref": "#/components/schemas/AppMessage", "components": schema["components"]}
    return bool(Draft202012Validator(app_message).is_valid(message))


def without(value: Any) -> list[Any]:
    """The value in all forms in which it lacks one of its fields, however deep."""
    match value:
        case dict():
            fewer = [{key: kept for key, kept in value.items() if key != name} for name in value]
            return fewer + [{**value, name: less} for name, inner in value.items() for less in without(inner)]
        case [first, *rest]:
            return [[], *([less, *rest] for less in without(first))]
    return []


def test_every_kind_of_message_is_tried_here() -> None:
    assert set(GOOD) == set(contents.KINDS)


@pytest.mark.parametrize("kind", GOOD)
def test_a_message_is_taken_where_the_schema_allows_it_and_nowhere_else(kind: str) -> None:
    lacking = [{kind: less} for less in without(GOOD[kind])]

    assert is_taken({kind: GOOD[kind]})
    assert is_described({kind: GOOD[kind]})
    assert [is_taken(message) for message in lacking] == [is_described(message) for message in lacking]


@pytest.mark.parametrize(
    "message",
    [
        {"card_message": {"title": 5}},
        {"card_message": {"height": "HUGE"}},
        {"text_message": {"text": "hello"}, "agent": {"type": "PARROT"}},
        {"explicit_channel_message": {"SMS": {"text": "hello"}}},
        {"explicit_channel_message": {"PIGEON": "coo"}},
        {"text_message": {"text": "hello"}, "media_message": {"url": "https://example.com/"}},
        {"explicit_channel_message": {}},
        {"explicit_channel_omni_message": {"SMS": {}}},
        {"explicit_channel_omni_message": {"SMS": {"text_message": {"text": ""}}}},
        {"explicit_channel_omni_message": {"SMS": {"template_reference": {"template_id": "t"}}}},
        {"agent": {"display_name": "Bo"}},
    ],
)
def test_what_is_wrong_in_a_field_that_may_be_absent_is_refused_too(message: dict[str, Any]) -> None:
    assert not is_taken(message)
    assert not is_described(message)


def test_content_for_single_channels_may_stand_alone() -> None:
    alone = {"explicit_channel_message": {"SMS": "hello"}}

    assert is_taken(alone)
    assert is_described(alone)
