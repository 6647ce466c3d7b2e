"""What every adapter promises, each promise as one function of the adapter.

Recorded callbacks of a provider lie in `callbacks/<channel>/*.json`:
{"headers": {…}, "body": …, "url": "", "secret": "", "events": [{"kind": "Receipt", <fields that matter>}]}.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest

from gateway.channels import base
from gateway.channels.base import Adapter, Channel, Credential, Decision, Outbound, Outcome
from gateway.channels.credentials import ALLOWED_KEYS, CREDENTIALS
from gateway.http import Request, Response

CALLBACKS = Path(__file__).parent / "callbacks"
MESSAGE_ID = "01J8Y3R0000000000000000001"

CONTENTS: dict[str, dict[str, Any]] = {
    "text": {"text_message": {"text": "héllo €😀"}},
    "media": {"media_message": {"url": "https://example.com/cat.jpg"}},
    "card": {
        "card_message": {
            "title": "Cat",
            "description": "A cat",
            "media_message": {"url": "https://example.com/cat.jpg"},
            "choices": [{"text_message": {"text": "Yes"}, "postback_data": "yes"}],
        }
    },
    "carousel": {"carousel_message": {"cards": [{"title": "One"}, {"title": "Two"}]}},
    "choice": {
        "choice_message": {
            "text_message": {"text": "Which?"},
            "choices": [
                {"text_message": {"text": "This"}},
                {"call_message": {"phone_number": "46700000001", "title": "Call"}},
                {"url_message": {"title": "Open", "url": "https://example.com/"}},
            ],
        }
    },
    "list": {
        "list_message": {
            "title": "Menu",
            "sections": [{"title": "Hot", "items": [{"choice": {"title": "Tea", "postback_data": "tea"}}]}],
        }
    },
    "location": {"location_message": {"title": "Here", "coordinates": {"latitude": 55.6, "longitude": 13.0}}},
    "template": {"template_message": {"channel_template": {}, "omni_template": {"template_id": "t"}}},
    "contact info": {
        "contact_info_message": {
            "name": {"full_name": "Ann"},
            "phone_numbers": [{"phone_number": "46700000001"}],
        }
    },
    "explicit": {"explicit_channel_message": {"SMS": "{}"}},
}

ANSWERS = [
    *(
        Response(0, error=error, detail="as it happens")
        for error in ("timeout", "connect", "dns", "tls", "forbidden", "bad_url", "protocol")
    ),
    *(
        Response(status, body=body)
        for status in (200, 201, 202, 204, 301, 400, 401, 403, 404, 408, 409, 410, 413, 429, 500, 502, 503)
        for body in (b"", b"{}", b"[]", b"null", b'"text"', b"<html>", b"\xff\xfe", b'{"error":{"code":1}}')
    ),
]


def credential_for(channel: Channel, adapter: Adapter) -> Credential:
    """A credential with a value in every field of the adapter's schema."""
    values: dict[str, Any] = {}
    for field in CREDENTIALS[adapter.credential_key].fields:
        *groups, name = field.path.split(".")
        holder = values
        for group in groups:
            holder = holder.setdefault(group, {})
        holder[name] = True if field.is_flag else f"value-of-{name}"
    return Credential("01J8Y3R00000000000000000CR", channel, values, callback_secret="callback secret")


def identity_for(channel: Channel) -> str:
    return "46700000001" if channel in base.PHONE_CHANNELS else "person-01"


def build(channel: Channel, adapter: Adapter, content: dict[str, Any], attempt: int = 1) -> Request:
    message = Outbound(MESSAGE_ID, identity_for(channel), content)
    return adapter.build(message, credential_for(channel, adapter), attempt)


def it_says_who_it_is(channel: Channel, adapter: Adapter) -> None:
    assert adapter.label
    assert adapter.credential_key in ALLOWED_KEYS[channel]
    paths = {field.path for field in CREDENTIALS[adapter.credential_key].fields}
    secrets = {field.path for field in CREDENTIALS[adapter.credential_key].fields if field.is_secret}
    assert set(adapter.credential_fields) <= paths
    assert set(adapter.secret_fields) == secrets


def it_builds_a_request_for_any_content(channel: Channel, adapter: Adapter) -> None:
    for content in CONTENTS.values():
        request = build(channel, adapter, content)
        assert isinstance(request, Request)
        assert isinstance(request.body, bytes)
        assert request.answer is not None or request.url.startswith("https://")
        assert all(name.isascii() and "\n" not in value for name, value in request.headers.items())


def it_builds_the_same_request_for_the_same_try(channel: Channel, adapter: Adapter) -> None:
    for content in CONTENTS.values():
        assert build(channel, adapter, content, 2) == build(channel, adapter, content, 2)


def it_keeps_no_state(_: Channel, adapter: Adapter) -> None:
    assert not vars(adapter), "an adapter is stateless"
    with pytest.raises(FrozenInstanceError):
        Outcome(Decision.ACCEPTED).decision = Decision.NEXT  # type: ignore[misc]  # that is what is refused


def it_makes_an_outcome_of_any_answer(_: Channel, adapter: Adapter) -> None:
    for answer in ANSWERS:
        outcome = adapter.read(answer)
        assert isinstance(outcome, Outcome), answer
        if outcome.decision not in {Decision.ACCEPTED, Decision.RETRY}:
            assert outcome.reason is not None, answer


def it_tries_again_after_trouble_on_the_way(_: Channel, adapter: Adapter) -> None:
    for answer in (Response(0, error="connect"), Response(0, error="dns"), Response(503)):
        assert adapter.read(answer).decision is Decision.RETRY


def it_refuses_an_unsigned_or_altered_callback(_: Channel, adapter: Adapter) -> None:
    assert not adapter.verify({}, b"{}", "https://example.com/callbacks", "callback secret")


def it_takes_what_it_does_not_know_for_nothing(_: Channel, adapter: Adapter) -> None:
    for body in (b"{}", b'{"type":"no such thing"}', '{"a":{"b":[1,2,{"c":"ü"}]}}'.encode()):
        assert adapter.parse(body) == []


def it_raises_value_error_for_what_is_no_callback(_: Channel, adapter: Adapter) -> None:
    for body in (b"", b"<html>", b"\xff\xfe", b"[", b"{"):
        with pytest.raises(ValueError):  # noqa: PT011 - whatever its text
            adapter.parse(body)


def it_reads_its_recorded_callbacks(channel: Channel, adapter: Adapter) -> None:
    recordings = sorted((CALLBACKS / channel.lower()).glob("*.json"))
    assert recordings, f"callbacks/{channel.lower()} holds no recorded callback"
    for recording in recordings:
        recorded = json.loads(recording.read_text())
        body = json.dumps(recorded["body"], separators=(",", ":"), ensure_ascii=False).encode()
        secret = recorded.get("secret", "")
        assert adapter.verify(recorded.get("headers", {}), body, recorded.get("url", ""), secret), recording
        events = adapter.parse(body)
        assert [type(event).__name__ for event in events] == [each["kind"] for each in recorded["events"]]
        for event, expected in zip(events, recorded["events"], strict=True):
            for field in fields(event):
                if field.name in expected:
                    assert getattr(event, field.name) == expected[field.name], (recording, field.name)


PROMISES: list[Callable[[Channel, Adapter], None]] = [
    it_says_who_it_is,
    it_builds_a_request_for_any_content,
    it_builds_the_same_request_for_the_same_try,
    it_keeps_no_state,
    it_makes_an_outcome_of_any_answer,
    it_tries_again_after_trouble_on_the_way,
    it_refuses_an_unsigned_or_altered_callback,
    it_takes_what_it_does_not_know_for_nothing,
    it_raises_value_error_for_what_is_no_callback,
    it_reads_its_recorded_callbacks,
]
