"""What every adapter promises, each promise as one function of the adapter.

Recorded callbacks of a provider lie in `callbacks/<channel>/*.json`:
{"headers": {…}, "body": …, "url": "", "secret": "", "events": [{"kind": "Receipt", <fields that matter>}]}.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.channels import base
from gateway.channels.base import (
    Adapter,
    Channel,
    Credential,
    Decision,
    Outbound,
    Outcome,
    Reason,
    ReasonCode,
    Unsendable,
    Unsupported,
)
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


KINDS_OF_CHOICES = {
    "text_message",
    "call_message",
    "url_message",
    "location_message",
    "calendar_message",
    "share_location_message",
}
# What a contact must be able to read or to tap, whatever the channel makes of the rest.
WORDS = [
    (["héllo €😀"], CONTENTS["text"]),
    (["https://example.com/cat.jpg"], CONTENTS["media"]),
    (["Cat", "A cat", "https://example.com/cat.jpg", "Yes"], CONTENTS["card"]),
    (["One", "Two"], CONTENTS["carousel"]),
    (["Which?", "This", "Call", "46700000001", "Open", "https://example.com/"], CONTENTS["choice"]),
    (["Menu", "Hot", "Tea"], CONTENTS["list"]),
    (["55.6", "13.0"], CONTENTS["location"]),
    (["Ann", "46700000001"], CONTENTS["contact info"]),
]


# What is meant for one channel alone nobody has checked.
MALFORMED = [
    "text",
    [],
    {"text_message": {"text": 5}},
    {"text_message": None},
    {"media_message": {"url": ["https://example.com/"]}},
    {"card_message": {"title": 5}},
    {"carousel_message": {"cards": {"title": "One"}}},
    {"choice_message": {"choices": [5]}},
    {"choice_message": {"choices": [{"url_message": {}}]}},
    {"list_message": {"sections": [{"items": 1}]}},
    {"location_message": {"title": "Here"}},
    {"location_message": {"coordinates": {}, "title": "Here"}},
    {"contact_info_message": {"name": {"full_name": "Ann"}, "phone_numbers": []}},
    {"contact_info_message": {"name": "Ann", "phone_numbers": "1"}},
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


def is_unsendable(adapter: Adapter, content: dict[str, Any]) -> bool:
    try:
        adapter.transcode(content)
    except Unsendable:
        return True
    return False


def build(channel: Channel, adapter: Adapter, content: dict[str, Any], attempt: int = 1) -> Request:
    message = Outbound(MESSAGE_ID, identity_for(channel), content)
    return adapter.build(message, credential_for(channel, adapter), attempt)


def shown(value: Any) -> Any:
    """As a recording writes it."""
    match value:
        case datetime():
            return value.isoformat()
        case Reason():
            return {"code": value.code, "description": value.description}
    return value


def it_says_who_it_is_and_what_it_can(channel: Channel, adapter: Adapter) -> None:
    assert adapter.label
    assert adapter.credential_key in ALLOWED_KEYS[channel]
    assert adapter.capabilities.longest_text > 0
    assert adapter.capabilities.media <= {"image", "video", "audio", "document"}
    assert adapter.capabilities.buttons <= KINDS_OF_CHOICES
    assert bool(adapter.capabilities.longest_caption) is bool(adapter.capabilities.media)
    assert all(limit.count > 0 and limit.seconds > 0 for limit in adapter.rate_limits)


def it_builds_a_request_for_any_content_or_passes_it_on(channel: Channel, adapter: Adapter) -> None:
    for content in CONTENTS.values():
        request = build(channel, adapter, content)
        assert isinstance(request, Request)
        assert isinstance(request.body, bytes)
        assert all(name.isascii() and "\n" not in value for name, value in request.headers.items())
        if is_unsendable(adapter, content):
            assert request.answer is not None, content
            assert adapter.read(request.answer).decision is Decision.NEXT
        else:
            assert request.answer is not None or request.url.startswith("https://")


def it_survives_what_is_no_message(channel: Channel, adapter: Adapter) -> None:
    for malformed in MALFORMED:
        request = build(channel, adapter, {"explicit_channel_omni_message": {channel: malformed}})
        assert isinstance(request, Request), malformed
    for raw in ("text", "[]", "{", '{"method": 5}'):
        assert build(channel, adapter, {"explicit_channel_message": {channel: raw}}), raw


def it_transcodes_what_it_sends_without_losing_a_word(_: Channel, adapter: Adapter) -> None:
    for words, content in WORDS:
        transcoded = adapter.transcode(content)
        assert all(word in transcoded for word in words), (words, transcoded)


def it_hides_its_secrets_from_a_trace(channel: Channel, adapter: Adapter) -> None:
    request = build(channel, adapter, CONTENTS["text"])
    shown = {
        name: value for name, value in request.headers.items() if name.lower() not in adapter.redact_keys
    }
    for field in CREDENTIALS[adapter.credential_key].fields:
        if field.is_secret:
            assert f"value-of-{field.path}" not in str(shown)
    assert all(key == key.lower() for key in adapter.redact_keys)


def it_asks_its_provider_elsewhere_where_it_was_moved(channel: Channel, adapter: Adapter) -> None:
    credential = replace(credential_for(channel, adapter), base_url="http://127.0.0.1:9001")
    request = adapter.build(Outbound(MESSAGE_ID, identity_for(channel), CONTENTS["text"]), credential, 1)
    assert request.answer is not None or request.url.startswith("http://127.0.0.1:9001/")


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


def it_never_sends_a_second_time_what_may_have_been_taken(_: Channel, adapter: Adapter) -> None:
    expected = Decision.RETRY if adapter.is_repeatable else Decision.UNKNOWN
    for error in ("timeout", "protocol"):
        assert adapter.read(Response(0, error=error, peer="192.0.2.1")).decision is expected
    assert adapter.read(Response(0, error="timeout")).decision is Decision.RETRY


def it_takes_429_for_throttling(channel: Channel, adapter: Adapter) -> None:
    if channel != Channel.SANDBOX:  # it has no provider whose status could be read
        outcome = adapter.read(Response(429, headers={"retry-after": "7"}))
        assert (outcome.decision, outcome.after) == (Decision.RETRY, 7.0)
        assert outcome.reason is not None
        assert outcome.reason.code is ReasonCode.RATE_LIMITED


def it_takes_an_address_that_may_not_be_dialled_for_a_bad_credential(_: Channel, adapter: Adapter) -> None:
    for error in ("forbidden", "bad_url"):
        assert adapter.read(Response(0, error=error)).decision is Decision.CREDENTIAL


def it_refuses_an_unsigned_or_altered_callback(_: Channel, adapter: Adapter) -> None:
    assert not adapter.verify({}, b"{}", "https://example.com/callbacks", "callback secret")


def it_says_that_it_does_not_know_what_it_does_not_know(_: Channel, adapter: Adapter) -> None:
    for body in (b"{}", b'{"type":"no such thing"}', '{"a":{"b":[1,2,{"c":"ü"}]}}'.encode()):
        assert adapter.parse(body) in ([], [Unsupported(body.decode())])


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
                    found = shown(getattr(event, field.name))
                    assert found == expected[field.name], (recording, field.name)


PROMISES: list[Callable[[Channel, Adapter], None]] = [
    promise for name, promise in list(globals().items()) if name.startswith("it_")
]
