"""The official Python client at the house: how it gets there, and everything that it can send."""

from __future__ import annotations

import ast
import contextlib
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sinch import SinchClient

from tests.live.house import House

_TOKEN = "a-secret-token-1234"
_BEARER = {"claimed_identity": "me", "token": _TOKEN}

# Flat, by channel, as the client takes them; it makes the wire's list of them.
CREDENTIALS: dict[str, dict[str, Any]] = {
    "SMS": _BEARER | {"callback_secret": "a-callback-secret"},
    "WHATSAPP": _BEARER,
    "RCS": _BEARER,
    "VIBERBM": _BEARER,
    "MESSENGER": {"token": _TOKEN},
    "MMS": {
        "account_id": "a",
        "api_key": _TOKEN,
        "basic_auth": {"username": "u", "password": "p"},
    },
    "INSTAGRAM": {"token": _TOKEN, "business_account_id": "b"},
    "TELEGRAM": {"token": _TOKEN},
    "KAKAOTALK": {"kakaotalk_plus_friend_id": "@me", "kakaotalk_sender_key": _TOKEN},
    "KAKAOTALKCHAT": {"kakaotalk_plus_friend_id": "@me", "api_key": _TOKEN},
    "LINE": {"token": _TOKEN, "secret": "s", "is_default": True, "credential_ordinal_number": 0},
    "LINE_JAPAN": {"token": _TOKEN, "secret": "s", "credential_ordinal_number": 1},
    "LINE_THAILAND": {"token": _TOKEN, "secret": "s", "credential_ordinal_number": 2},
    "WECHAT": {"app_id": "w", "app_secret": "s", "token": _TOKEN, "aes_key": "k"},
    "APPLEBC": {
        "business_chat_account_id": "b",
        "merchant_id": "m",
        "apple_pay_certificate_reference": "r",
        "apple_pay_certificate_password": _TOKEN,
    },
}

_URL = "https://example.com"
_MEDIA = {"url": f"{_URL}/cat.jpg", "thumbnail_url": f"{_URL}/small.jpg", "filename_override": "cat.jpg"}
_LOCATION = {"coordinates": {"latitude": 55.61, "longitude": 13}, "title": "Here", "label": "The house"}
_CHOICES: list[dict[str, Any]] = [
    {"text_message": {"text": "Yes"}, "postback_data": "yes"},
    {"url_message": {"title": "Read", "url": _URL}, "postback_data": {"any": ["JSON", 1]}},
    {"call_message": {"title": "Call", "phone_number": "46700000001"}, "postback_data": "call"},
    {"location_message": _LOCATION, "postback_data": "location"},
    {
        "share_location_message": {"title": "Where are you?", "fallback_url": _URL},
        "postback_data": "share",
        "display_mode": "PERSISTENT",
    },
    {
        "calendar_message": {
            "title": "Save",
            "event_start": "2026-03-01T10:00:00Z",
            "event_end": "2026-03-01T11:00:00Z",
            "event_title": "Visit",
            "event_description": "At ten",
            "fallback_url": _URL,
        },
        "postback_data": "calendar",
    },
]
_CARD = {
    "title": "Shoes",
    "description": "Red",
    "height": "TALL",
    "media_message": _MEDIA,
    "choices": _CHOICES,
    "message_properties": {"whatsapp_header": "Look"},
}
_SOUP = {"title": "Soup", "description": "Hot", "media": _MEDIA, "postback_data": "soup"}
_PEN = {"id": "1", "marketplace": "FACEBOOK", "quantity": 2, "item_price": 9.5, "currency": "EUR"}

# By the second argument of the `send_…` that takes it.
MESSAGES: dict[str, Any] = {
    "text_message": "héllo €",
    "media_message": _MEDIA,
    "location_message": _LOCATION,
    "card_message": _CARD,
    "carousel_message": {"cards": [_CARD, {"title": "Hats"}], "choices": _CHOICES[:1]},
    "choice_message": {
        "text_message": {"text": "Well?"},
        "choices": _CHOICES,
        "message_properties": {"whatsapp_footer": "Choose"},
    },
    "list_message": {
        "title": "Menu",
        "description": "What is there",
        "media": _MEDIA,
        "sections": [
            {"title": "Food", "items": [{"choice": _SOUP}]},
            {"title": "Things", "items": [{"product": _PEN}]},
        ],
        "message_properties": {"catalog_id": "c", "menu": "Open", "whatsapp_header": "Look"},
    },
    "contact_info_message": {
        "name": {"full_name": "Ada Lovelace", "first_name": "Ada", "last_name": "Lovelace"},
        "phone_numbers": [{"phone_number": "46700000001", "type": "home"}],
        "addresses": [{"city": "London", "country": "UK", "zip": "W1", "country_code": "GB"}],
        "email_addresses": [{"email_address": "ada@example.com", "type": "work"}],
        "organization": {"company": "Engines", "department": "Analytics", "title": "Countess"},
        "urls": [{"url": _URL, "type": "home"}],
        "birthday": "1815-12-10",
    },
    "template_message": {
        "channel_template": {"SMS": {"template_id": "t", "language_code": "en", "parameters": {"a": "b"}}},
        "omni_template": {"template_id": "t", "version": "latest", "parameters": {"a": "b"}},
    },
}

_NUMBERS = itertools.count()


@contextlib.contextmanager
def client_of(house: House, **changes: str) -> Iterator[SinchClient]:
    """Unchanged but for its two origins; `changes` are of its key and project."""
    facts = {name: house.facts[name] for name in ("key_id", "key_secret", "project_id")}
    client = SinchClient(**(facts | changes))
    client.configuration.auth_origin = house.facts["base_url"]
    client.configuration.conversation_origin = house.facts["base_url"]
    with contextlib.closing(client.configuration.transport.http_session):
        yield client


def new_number(ending: str = "01") -> str:
    """One that nobody had before; its ending tells the sandbox what to do."""
    return f"46700{next(_NUMBERS):04d}{ending}"


def make_app(conversation: Any, channel: str = "SMS", **fields: Any) -> Any:
    credentials = {channel: CREDENTIALS[channel]}
    return conversation.apps.create(display_name="Official", channel_credentials=credentials, **fields)


def make_contact(conversation: Any, *, identity: str = "", channel: str = "SMS", **fields: Any) -> Any:
    identities = [{"channel": channel, "identity": identity or new_number()}]
    return conversation.contacts.create(channel_identities=identities, language="EN_US", **fields)


def operations(conversation: Any) -> set[str]:
    """All that the client can do, as `messages.send`."""
    return {
        f"{part}.{name}"
        for part in ("apps", "contacts", "messages")
        for name in dir(getattr(conversation, part))
        if not name.startswith("_")
    }


def called(sources: Iterable[Path]) -> set[str]:
    """What these modules call, as `messages.send`."""
    nodes = (node for source in sources for node in ast.walk(ast.parse(source.read_text())))
    functions = (ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call))
    return {".".join(function.split(".")[-2:]) for function in functions}
