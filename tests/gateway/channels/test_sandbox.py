from __future__ import annotations

import asyncio
import json

import pytest

from gateway.addresses import Guard
from gateway.channels.base import (
    Channel,
    Credential,
    Decision,
    Inbound,
    Outbound,
    Outcome,
    Reason,
    ReasonCode,
    Receipt,
    ReceiptStatus,
    Unsupported,
)
from gateway.channels.sandbox import Sandbox, inbound_callback
from gateway.http import Client

MESSAGE_ID = "01J8Y3R0000000000000000001"
TEXT = {"text_message": {"text": "hello"}}
PLAIN = Credential("credential", Channel.SANDBOX, {})
SIGNED = Credential("credential", Channel.SANDBOX, {}, callback_secret="s3cr3t-Ünï")


def send(identity: str, *, attempt: int = 1, credential: Credential = PLAIN, content=TEXT) -> Outcome:
    """Through the adapter and the door, as the dispatcher does it."""
    sandbox = Sandbox()
    request = sandbox.build(Outbound(MESSAGE_ID, identity, content), credential, attempt)

    async def answered() -> Outcome:
        async with Client(guard=Guard()) as client:
            return sandbox.read(await client.send(request))

    return asyncio.run(answered())


def played(outcome: Outcome, credential: Credential = PLAIN) -> list:
    """The echoes, in the order of their delays, through the adapter's own verify and parse."""
    sandbox = Sandbox()
    events = []
    for echo in sorted(outcome.echoes, key=lambda echo: echo.delay):
        assert sandbox.verify(echo.headers, echo.body, "", credential.callback_secret)
        events += sandbox.parse(echo.body)
    return events


def statuses(outcome: Outcome) -> list[ReceiptStatus]:
    return [event.status for event in played(outcome) if isinstance(event, Receipt)]


@pytest.mark.parametrize("identity", ["46700000001", "46700000099", "ann@example.com", "7", ""])
def test_a_message_is_delivered_unless_the_identity_says_otherwise(identity):
    outcome = send(identity)

    assert outcome.decision is Decision.ACCEPTED
    assert statuses(outcome) == [ReceiptStatus.DELIVERED]
    assert played(outcome)[0].channel_message_id == outcome.channel_message_id


def test_02_is_delivered_then_read():
    assert statuses(send("46700000002")) == [ReceiptStatus.DELIVERED, ReceiptStatus.READ]


def test_03_cannot_be_reached_so_the_next_channel_is_tried():
    outcome = send("46700000003")

    assert outcome.decision is Decision.NEXT
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.RECIPIENT_NOT_REACHABLE
    assert not outcome.echoes


def test_04_is_taken_then_fails():
    outcome = send("46700000004")

    [receipt] = played(outcome)
    assert outcome.decision is Decision.ACCEPTED
    assert receipt.status is ReceiptStatus.FAILED
    assert receipt.reason.code is ReasonCode.CHANNEL_FAILURE


def test_05_is_taken_and_never_reported():
    outcome = send("46700000005")

    assert outcome.decision is Decision.ACCEPTED
    assert not outcome.echoes


def test_06_is_throttled_twice_then_delivered():
    first, second, third = (send("46700000006", attempt=attempt) for attempt in (1, 2, 3))

    assert (first.decision, first.after) == (Decision.RETRY, 1.0)
    assert first.reason is not None
    assert first.reason.code is ReasonCode.RATE_LIMITED
    assert second.decision is Decision.RETRY
    assert third.decision is Decision.ACCEPTED
    assert statuses(third) == [ReceiptStatus.DELIVERED]


def test_07_opts_out():
    assert send("46700000007").decision is Decision.OPTED_OUT


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (TEXT, "You said: hello"),
        ({"media_message": {"url": "https://x/"}}, "You said: media message"),
        ({}, "You said: nothing"),
    ],
)
def test_08_is_delivered_then_answers(content, answer):
    receipt, inbound = played(send("46700000008", content=content))

    assert receipt.status is ReceiptStatus.DELIVERED
    assert isinstance(inbound, Inbound)
    assert inbound.identity == "46700000008"
    assert inbound.content == {"text_message": {"text": answer}}


def test_the_last_two_characters_choose_on_channels_without_numbers_too():
    assert send("user-03").decision is Decision.NEXT


def test_the_same_try_twice_is_one_message_to_the_channel():
    assert send("46700000008", credential=SIGNED) == send("46700000008", credential=SIGNED)


def test_echoes_are_signed_where_the_credential_has_a_callback_secret():
    outcome = send("46700000008", credential=SIGNED)
    echo = outcome.echoes[0]

    assert len(played(outcome, SIGNED)) == 2
    assert not Sandbox().verify({}, echo.body, "", SIGNED.callback_secret)
    assert not Sandbox().verify(echo.headers, echo.body + b" ", "", SIGNED.callback_secret)
    assert not Sandbox().verify(echo.headers, echo.body, "", "another secret")


def test_no_two_callbacks_share_a_nonce():
    outcomes = [send(f"4670000000{n}", credential=SIGNED) for n in (2, 8)] + [
        send("46700000001", credential=SIGNED, attempt=2)
    ]
    # 02 and 08 begin alike: their DELIVERED is one and the same callback.
    callbacks = {
        echo.body: echo.headers["x-sinch-webhook-signature-nonce"] for o in outcomes for echo in o.echoes
    }

    assert len(set(callbacks.values())) == len(callbacks) == 4


def test_a_callback_is_signed_at_the_time_in_its_id():
    echo = inbound_callback("1", TEXT, credential=SIGNED, channel_message_id="01ARZ3NDEKTSV4RRFFQ69G5FAV")

    # 2016-07-30T23:54:10Z: the example of the ULID specification
    assert echo.headers["x-sinch-webhook-signature-timestamp"] == "1469922850"


def test_a_simulated_message_of_a_contact_comes_back_as_it_was_written():
    content = {"choice_response_message": {"message_id": MESSAGE_ID, "postback_data": "yes"}}
    echo = inbound_callback(
        "46700000042", content, credential=SIGNED, channel_message_id=MESSAGE_ID, profile_name="Ann"
    )

    assert Sandbox().verify(echo.headers, echo.body, "", SIGNED.callback_secret)
    assert Sandbox().parse(echo.body) == [Inbound(MESSAGE_ID, "46700000042", content, profile_name="Ann")]


@pytest.mark.parametrize("payload", [[], "text", 1, None])
def test_json_that_is_no_object_is_no_callback(payload):
    with pytest.raises(ValueError, match="object"):
        Sandbox().parse(json.dumps(payload).encode())


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "receipt"},
        {"type": "receipt", "id": 1, "status": "DELIVERED"},
        {"type": "receipt", "id": "a", "status": "LOST"},
        {"type": "inbound", "id": "a", "from": "b", "content": "text"},
    ],
)
def test_a_callback_that_is_not_known_is_kept_as_it_came(payload):
    body = json.dumps(payload)

    (event,) = Sandbox().parse(body.encode())

    assert event == Unsupported(body, identity=payload.get("from", ""))


def test_a_reason_that_is_not_known_is_kept_in_words():
    payload = {
        "type": "receipt",
        "id": "a",
        "status": "FAILED",
        "reason": {"code": "RAIN", "description": "wet"},
    }

    [receipt] = Sandbox().parse(json.dumps(payload).encode())

    assert receipt == Receipt("a", ReceiptStatus.FAILED, reason=Reason(ReasonCode.UNKNOWN, "wet"))
