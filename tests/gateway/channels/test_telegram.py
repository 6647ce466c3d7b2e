from __future__ import annotations

import json

import pytest

from gateway.channels.base import Channel, Credential, Decision, Outbound, ReasonCode
from gateway.channels.telegram import Telegram
from gateway.http import Response
from tests.gateway.channels.test_transcoding import CARD, CHOICES, CONTACT, LIST, PLACE

MESSAGE_ID = "01J8Y3R0000000000000000001"
BOT = Credential("credential", Channel.TELEGRAM, {"token": "123:t0ken"})
TEXT = {"text_message": {"text": "hi"}}


def call(content=TEXT, **fields):
    """The method, and its parameters."""
    request = Telegram().build(Outbound(MESSAGE_ID, "7001", content, **fields), BOT, 1)
    assert request.answer is None, request.answer
    assert request.url.startswith("https://api.telegram.org/bot123:t0ken/")
    return request.url.rpartition("/")[2], json.loads(request.body)


def buttons(payload):
    return [button for row in payload["reply_markup"]["inline_keyboard"] for button in row]


def answer(status: int, description: str = "", **parameters):
    body = {"ok": False, "error_code": status, "description": description, "parameters": parameters}
    return Telegram().read(Response(status, body=json.dumps(body).encode()))


def test_a_text_is_sent_to_the_chat():
    assert call() == ("sendMessage", {"chat_id": "7001", "text": "hi"})


def test_a_link_shows_no_preview_where_the_client_says_so():
    _, payload = call(properties={"TELEGRAM_DISABLE_LINK_PREVIEW": "true"})

    assert payload["link_preview_options"] == {"is_disabled": True}


@pytest.mark.parametrize(
    ("url", "method", "parameter"),
    [
        ("https://x.se/a.png", "sendPhoto", "photo"),
        ("https://x.se/a.mp4", "sendVideo", "video"),
        ("https://x.se/a.mp3", "sendAudio", "audio"),
        ("https://x.se/a.pdf", "sendDocument", "document"),
        ("https://x.se/a.docx", "sendMessage", "text"),  # Telegram fetches no such document
    ],
)
def test_a_medium_is_sent_by_its_url(url, method, parameter):
    assert call({"media_message": {"url": url}}) == (method, {"chat_id": "7001", parameter: url})


def test_a_card_is_a_photo_with_a_caption_and_buttons():
    method, payload = call({"card_message": CARD})

    assert (method, payload["photo"], payload["caption"]) == (
        "sendPhoto",
        "https://x.se/cat.jpg",
        "Cat\nA cat",
    )
    assert buttons(payload) == [{"text": "Adopt", "callback_data": f"{MESSAGE_ID}:adopt-1"}]


def test_a_caption_that_is_too_long_goes_as_a_text_with_a_link():
    method, payload = call({"card_message": {**CARD, "description": "x" * 1021}})

    assert method == "sendMessage"
    assert payload["text"] == f"Cat\n{'x' * 1021}\nhttps://x.se/cat.jpg"


def test_every_choice_is_a_button_or_else_a_line():
    _, payload = call({"choice_message": {"text_message": {"text": "Well?"}, "choices": CHOICES}})

    assert payload["text"] == "Well?\n- Call us: +46700000001"
    assert [button["text"] for button in buttons(payload)] == [
        "Yes",
        "No",
        "Open",
        "Office",
        "Save (Party, 2026-03-02T12:00:00Z - 2026-03-02T13:00:00Z)",
        "Where are you?",
    ]
    assert buttons(payload)[0] == {"text": "Yes", "callback_data": f'{MESSAGE_ID}:{{"a":1}}'}
    assert buttons(payload)[2] == {"text": "Open", "url": "https://x.se/"}


def test_a_button_with_a_url_that_telegram_would_refuse_is_a_line():
    choices = [
        {"url_message": {"title": "Open", "url": url}} for url in ("tel:+1", "http://localhost/", "x.se")
    ]

    _, payload = call({"choice_message": {"text_message": {"text": "Well?"}, "choices": choices}})

    assert payload["text"] == "Well?\n- Open: tel:+1\n- Open: http://localhost/\n- Open: x.se"
    assert "reply_markup" not in payload


def test_postback_data_that_has_no_room_is_named_by_its_place():
    choices = [{"text_message": {"text": name}, "postback_data": name * 38} for name in "ab"]

    _, payload = call({"choice_message": {"choices": choices}})

    assert [button["callback_data"] for button in buttons(payload)] == [f"{MESSAGE_ID}#0", f"{MESSAGE_ID}#1"]
    assert payload["text"] == "…"


def test_a_request_for_the_persons_place_alone_is_a_keyboard_that_asks_for_it():
    _, payload = call({"choice_message": {"text_message": {"text": "Well?"}, "choices": CHOICES[-1:]}})

    assert payload["reply_markup"]["keyboard"] == [[{"text": "Where are you?", "request_location": True}]]


def test_the_items_of_a_list_are_buttons_and_what_is_said_of_them_stays_readable():
    method, payload = call({"list_message": LIST})

    assert (method, payload["photo"]) == ("sendPhoto", "https://x.se/menu.jpg")
    assert payload["caption"] == "Menu\nToday\n\nHot\n- Tea: Green\n- 2 x p1: 3.5 EUR\n\nCold"
    assert [button["text"] for button in buttons(payload)] == ["Tea", "Ice"]


def test_a_carousel_is_one_text_with_the_buttons_of_all_cards():
    method, payload = call(
        {"carousel_message": {"cards": [CARD, CARD | {"title": "Dog"}], "choices": CHOICES[1:2]}}
    )

    assert method == "sendMessage"
    assert payload["text"] == "Cat\nA cat\nhttps://x.se/cat.jpg\n\nDog\nA cat\nhttps://x.se/cat.jpg"
    assert [button["text"] for button in buttons(payload)] == ["Adopt", "Adopt", "No"]


def test_a_place_is_a_venue_or_a_pin():
    assert call({"location_message": PLACE}) == (
        "sendVenue",
        {"chat_id": "7001", "latitude": 55.6, "longitude": 13, "title": "Office", "address": "2nd floor"},
    )
    assert call({"location_message": {k: v for k, v in PLACE.items() if k != "label"}})[0] == "sendLocation"


def test_a_contact_is_a_card_with_all_that_is_known():
    method, payload = call({"contact_info_message": CONTACT})

    assert (method, payload["phone_number"], payload["first_name"]) == ("sendContact", "+46700000001", "Ann")
    assert payload["vcard"].splitlines()[2:5] == ["FN:Ann Åberg", "TEL:+46700000001", "EMAIL:ann@x.se"]


def test_a_call_may_be_given_explicitly_but_not_for_another_chat():
    raw = json.dumps({"method": "sendDice", "emoji": "🎲", "chat_id": "9"})

    assert call({"explicit_channel_message": {"TELEGRAM": raw}}) == (
        "sendDice",
        {"chat_id": "7001", "emoji": "🎲"},
    )


@pytest.mark.parametrize(
    "content",
    [
        {"text_message": {"text": "x" * 4097}},
        {"template_message": {}},
        {"explicit_channel_message": {"TELEGRAM": '{"method": "deleteWebhook"}'}},
        {"explicit_channel_message": {"TELEGRAM": '{"method": "send/../logOut"}'}},
    ],
)
def test_what_telegram_cannot_carry_is_passed_on(content):
    request = Telegram().build(Outbound(MESSAGE_ID, "7001", content), BOT, 1)

    assert request.answer is not None
    assert Telegram().read(request.answer).decision is Decision.NEXT


def test_a_message_is_numbered_within_its_chat():
    body = b'{"ok":true,"result":{"message_id":42,"chat":{"id":7001,"type":"private"},"date":1,"text":"hi"}}'

    assert Telegram().read(Response(200, body=body)).channel_message_id == "7001:42"


@pytest.mark.parametrize(
    ("status", "description", "decision", "code"),
    [
        (400, "Bad Request: chat not found", "NEXT", "RECIPIENT_INVALID_CHANNEL_IDENTITY"),
        (400, "Bad Request: PEER_ID_INVALID", "NEXT", "RECIPIENT_INVALID_CHANNEL_IDENTITY"),
        (400, "Bad Request: failed to get HTTP URL content", "NEXT", "MEDIA_NOT_REACHABLE"),
        (400, "Bad Request: wrong type of the web page content", "NEXT", "MEDIA_TYPE_UNSUPPORTED"),
        (400, "Bad Request: BUTTON_URL_INVALID", "PERMANENT", "BAD_REQUEST"),
        (401, "Unauthorized", "CREDENTIAL", "CHANNEL_BAD_CONFIGURATION"),
        (403, "Forbidden: bot was blocked by the user", "OPTED_OUT", "RECIPIENT_NOT_OPTED_IN"),
        (403, "Forbidden: user is deactivated", "OPTED_OUT", "RECIPIENT_NOT_REACHABLE"),
        (403, "Forbidden: bot can't initiate conversation with a user", "NEXT", "RECIPIENT_NOT_REACHABLE"),
        (404, "Not Found", "CREDENTIAL", "CHANNEL_BAD_CONFIGURATION"),
        (409, "Conflict: terminated by other getUpdates request", "CREDENTIAL", "CHANNEL_BAD_CONFIGURATION"),
        (413, "Request Entity Too Large", "NEXT", "MEDIA_TOO_LARGE"),
        (500, "Internal Server Error", "RETRY", "CHANNEL_FAILURE"),
        (502, "", "RETRY", "CHANNEL_FAILURE"),
    ],
)
def test_a_refusal_is_read_by_its_status_and_its_words(status, description, decision, code):
    outcome = answer(status, description)

    assert (outcome.decision, outcome.reason.code) == (decision, code)
    assert description in outcome.reason.description


def test_throttling_says_how_long():
    outcome = answer(429, "Too Many Requests: retry after 5", retry_after=5)

    assert (outcome.decision, outcome.after, outcome.reason.code) == (
        Decision.RETRY,
        5.0,
        ReasonCode.RATE_LIMITED,
    )


def test_a_transcoded_message_is_the_call_with_its_method():
    assert json.loads(Telegram().transcode(TEXT)) == {"method": "sendMessage", "text": "hi"}
