"""What is kept of every type of message where there is nothing but text."""

from __future__ import annotations

import pytest

from gateway.channels import transcoding
from gateway.channels.base import Channel, Unsendable
from gateway.channels.transcoding import Block, Choice, plain_text

TEXT = {"text_message": {"text": "Hi"}}
CARD = {
    "title": "Cat",
    "description": "A cat",
    "height": "TALL",
    "media_message": {"url": "https://x.se/cat.jpg", "thumbnail_url": "https://x.se/small.jpg"},
    "choices": [{"text_message": {"text": "Adopt"}, "postback_data": "adopt-1"}],
}
PLACE = {"title": "Office", "label": "2nd floor", "coordinates": {"latitude": 55.6, "longitude": 13}}
CHOICES = [
    {"text_message": {"text": "Yes"}, "postback_data": {"a": 1}},
    {"text_message": {"text": "No"}},
    {"call_message": {"title": "Call us", "phone_number": "+46700000001"}},
    {"url_message": {"title": "Open", "url": "https://x.se/"}},
    {"location_message": PLACE},
    {
        "calendar_message": {
            "title": "Save",
            "event_title": "Party",
            "event_description": "Bring cake",
            "event_start": "2026-03-02T12:00:00Z",
            "event_end": "2026-03-02T13:00:00Z",
            "fallback_url": "https://x.se/party.ics",
        }
    },
    {"share_location_message": {"title": "Where are you?", "fallback_url": "https://x.se/where"}},
]
LIST = {
    "title": "Menu",
    "description": "Today",
    "media": {"url": "https://x.se/menu.jpg"},
    "sections": [
        {
            "title": "Hot",
            "items": [
                {"choice": {"title": "Tea", "description": "Green", "postback_data": "tea"}},
                {"product": {"id": "p1", "marketplace": "FACEBOOK", "quantity": 2, "item_price": 3.5, "currency": "EUR"}},
            ],
        },
        {"title": "Cold", "items": [{"choice": {"title": "Ice"}}]},
    ],
}  # fmt: skip
CONTACT = {
    "name": {"full_name": "Ann Åberg", "first_name": "Ann"},
    "phone_numbers": [{"phone_number": "+46700000001", "type": "home"}],
    "email_addresses": [{"email_address": "ann@x.se"}],
    "organization": {"company": "X", "department": "Sales", "title": "Boss"},
    "addresses": [{"city": "Lund", "zip": "22100", "country": "Sweden", "country_code": "SE"}],
    "urls": [{"url": "https://x.se/ann"}],
    "birthday": "1990-01-02",
}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (TEXT, "Hi"),
        (
            {"media_message": {"url": "https://x.se/a.pdf", "filename_override": "b.pdf"}},
            "https://x.se/a.pdf",
        ),
        ({"card_message": CARD}, "Cat\nA cat\nhttps://x.se/cat.jpg\n- Adopt"),
        (
            {"carousel_message": {"cards": [CARD, {"title": "Dog"}], "choices": CHOICES[1:2]}},
            "Cat\nA cat\nhttps://x.se/cat.jpg\n- Adopt\n\nDog\n\n- No",
        ),
        (
            {"choice_message": {"text_message": {"text": "Well?"}, "choices": CHOICES}},
            "Well?\n- Yes\n- No\n- Call us: +46700000001\n- Open: https://x.se/\n"
            "- Office: https://maps.google.com/maps?q=55.6,13\n"
            "- Save (Party, 2026-03-02T12:00:00Z - 2026-03-02T13:00:00Z): https://x.se/party.ics\n"
            "- Where are you?: https://x.se/where",
        ),
        ({"choice_message": {"choices": CHOICES[:1]}}, "- Yes"),
        (
            {"list_message": LIST},
            "Menu\nToday\nhttps://x.se/menu.jpg\n\nHot\n- Tea: Green\n- 2 x p1: 3.5 EUR\n\nCold\n- Ice",
        ),
        ({"location_message": PLACE}, "Office\n2nd floor\nhttps://maps.google.com/maps?q=55.6,13"),
        (
            {"contact_info_message": CONTACT},
            "Ann Åberg\nBoss, Sales, X\n+46700000001\nann@x.se\n22100, Lund, Sweden\nhttps://x.se/ann\n1990-01-02",
        ),
        ({"template_message": {"omni_template": {"template_id": "t"}}}, ""),
        ({"explicit_channel_message": {"SMS": "{}"}}, ""),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_every_message_type_is_readable_as_text(content, text):
    assert plain_text(content) == text


def test_what_text_cannot_hold_is_lost():
    kept = plain_text({"choice_message": {"choices": CHOICES}}) + plain_text({"card_message": CARD})

    for lost in ("adopt-1", "TALL", "small.jpg", "Bring cake"):
        assert lost not in kept


def test_a_choice_brings_back_what_the_client_gave_else_its_words():
    choices = transcoding.choices({"choice_message": {"choices": CHOICES}})

    assert [choice.postback_data for choice in choices[:2]] == ['{"a":1}', "No"]


def test_the_choices_of_a_message_are_numbered_through_all_its_parts():
    carousel = {"carousel_message": {"cards": [CARD, CARD], "choices": CHOICES[1:2]}}

    assert [choice.title for choice in transcoding.choices(carousel)] == ["Adopt", "Adopt", "No"]
    assert transcoding.choices({"list_message": LIST})[0] == Choice("item", "Tea", "Green", "tea")


def test_a_channel_gets_its_own_message_where_it_has_one():
    own = {"explicit_channel_omni_message": {"SMS": {"text_message": {"text": "short"}}}, **TEXT}

    assert plain_text(transcoding.given_to(Channel.SMS, own)) == "short"
    assert plain_text(transcoding.given_to(Channel.TELEGRAM, own)) == "Hi"
    assert transcoding.blocks(transcoding.given_to(Channel.SMS, TEXT)) == [Block("Hi")]


@pytest.mark.parametrize("given", ["text", "[1]", "{"])
def test_what_is_explicit_must_be_an_object(given):
    with pytest.raises(Unsendable, match="SMS must be a JSON object"):
        transcoding.explicit(Channel.SMS, {"explicit_channel_message": {"SMS": given}})


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://x.se/a.JPG?size=1", "image"),
        ("https://x.se/a.mp4", "video"),
        ("https://x.se/a.mp3#t", "audio"),
        ("https://x.se/a.pdf", "document"),
        ("https://x.se/", "document"),
    ],
)
def test_the_kind_of_a_medium_is_told_by_its_path(url, kind):
    assert transcoding.kind_of_media(url) == kind
