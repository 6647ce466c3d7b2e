from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from gateway.channels.base import Channel, Credential, Decision, Outbound, ReasonCode, ReceiptStatus
from gateway.channels.sms import CODES, Sms
from gateway.http import Response

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PLAN = Credential(
    "credential",
    Channel.SMS,
    {"claimed_identity": "plan/1", "token": "t0ken"},
    callback_url="https://us.example/callbacks/SMS/credential",
)
TEXT = {"text_message": {"text": "héllo €😀"}}


def batch(content=TEXT, **fields):
    request = Sms().build(Outbound("message", "46700000001", content, **fields), PLAN, 1)
    assert request.answer is None, request.answer
    return json.loads(request.body)


def refusal(content=TEXT, **fields):
    request = Sms().build(Outbound("message", "46700000001", content, **fields), PLAN, 1)
    assert request.answer is not None
    return Sms().read(request.answer)


def report(status: str, code: int):
    body = {"type": "recipient_delivery_report_sms", "batch_id": "b", "status": status, "code": code}
    (receipt,) = Sms().parse(json.dumps(body).encode())
    return receipt


def test_a_message_is_a_batch_for_one_recipient_that_asks_for_a_report():
    request = Sms().build(Outbound("message", "46700000001", TEXT), PLAN, 1)

    assert request.url == "https://us.sms.api.sinch.com/xms/v1/plan%2F1/batches"
    assert request.headers["Authorization"] == "Bearer t0ken"
    assert json.loads(request.body) == {
        "type": "mt_text",
        "to": ["46700000001"],
        "body": "héllo €😀",
        "delivery_report": "per_recipient",
        "client_reference": "message",
        "callback_url": "https://us.example/callbacks/SMS/credential",
    }


def test_the_channel_properties_of_sms_are_the_batchs():
    properties = {
        "SMS_SENDER": "Shop",
        "SMS_FLASH_MESSAGE": "true",
        "SMS_MAX_NUMBER_OF_MESSAGE_PARTS": "3",
        "OTHER": "x",
    }

    sent = batch(properties=properties)

    assert (sent["from"], sent["flash_message"], sent["max_number_of_message_parts"]) == ("Shop", True, 3)
    assert "OTHER" not in sent
    assert not batch().keys() & {"from", "flash_message", "max_number_of_message_parts"}


@pytest.mark.parametrize("most", ["0", "-1", "many", "²"])
def test_a_number_of_parts_that_is_none_is_said_to_be_a_bad_request(most):
    outcome = refusal(properties={"SMS_MAX_NUMBER_OF_MESSAGE_PARTS": most})

    assert outcome.decision is Decision.NEXT
    assert outcome.reason.code is ReasonCode.BAD_REQUEST


@pytest.mark.parametrize(
    ("ttl", "life"), [(timedelta(minutes=5), timedelta(minutes=5)), (timedelta(30), timedelta(3))]
)
def test_the_network_stops_trying_when_nobody_wants_the_message_any_more(ttl, life):
    sent = batch(accept_time=NOW, expires_at=NOW + ttl)

    assert datetime.fromisoformat(sent["expire_at"]) == NOW + life


def test_a_batch_may_be_given_explicitly():
    raw = json.dumps({"type": "mt_binary", "udh": "06", "body": "AAEC"})

    sent = batch({"explicit_channel_message": {"SMS": raw}, **TEXT})

    assert (sent["type"], sent["body"], sent["to"]) == ("mt_binary", "AAEC", ["46700000001"])


@pytest.mark.parametrize(
    "content",
    [
        {"text_message": {"text": "x" * 2001}},
        {"template_message": {"omni_template": {"template_id": "t"}}},
        {"explicit_channel_message": {"LINE": "{}"}},
    ],
)
def test_what_an_sms_cannot_carry_is_passed_on(content):
    outcome = refusal(content)

    assert outcome.decision is Decision.NEXT
    assert outcome.reason.code is ReasonCode.UNSUPPORTED_OPERATION


def test_the_batchs_id_is_the_messages_id_on_the_channel():
    outcome = Sms().read(Response(201, body=b'{"id":"01FC66621VHDBN119Z8PMV1QPU","to":["1"]}'))

    assert (outcome.decision, outcome.channel_message_id) == (Decision.ACCEPTED, "01FC66621VHDBN119Z8PMV1QPU")


@pytest.mark.parametrize(
    ("status", "decision", "code"),
    [
        (400, Decision.PERMANENT, ReasonCode.BAD_REQUEST),
        (401, Decision.CREDENTIAL, ReasonCode.CHANNEL_BAD_CONFIGURATION),
        (403, Decision.CREDENTIAL, ReasonCode.CHANNEL_BAD_CONFIGURATION),
        (404, Decision.CREDENTIAL, ReasonCode.CHANNEL_BAD_CONFIGURATION),
        (429, Decision.RETRY, ReasonCode.RATE_LIMITED),
        (500, Decision.RETRY, ReasonCode.CHANNEL_FAILURE),
        (503, Decision.RETRY, ReasonCode.CHANNEL_FAILURE),
        (200, Decision.UNKNOWN, ReasonCode.CHANNEL_FAILURE),  # without an id
    ],
)
def test_an_answers_status_decides(status, decision, code):
    outcome = Sms().read(Response(status, body=b'{"code":"syntax_invalid_json","text":"No"}'))

    assert outcome.decision is decision
    assert outcome.reason.code is code
    assert outcome.reason.description == "syntax_invalid_json: No"


@pytest.mark.parametrize(
    ("code", "decision", "reason"),
    [
        (402, "NEXT", "RECIPIENT_NOT_REACHABLE"),
        (403, "RETRY", "CHANNEL_FAILURE"),
        (404, "RETRY", "CHANNEL_FAILURE"),
        (405, "PERMANENT", "BAD_REQUEST"),
        (406, "NEXT", "DELIVERY_TIMED_OUT"),
        (407, "PERMANENT", "CHANNEL_REJECT"),
        (408, "NEXT", "CHANNEL_REJECT"),
        (410, "CREDENTIAL", "CHANNEL_BAD_CONFIGURATION"),
        (411, "PERMANENT", "BAD_REQUEST"),
        (412, "NEXT", "CHANNEL_BAD_CONFIGURATION"),
        (413, "CREDENTIAL", "NO_PERMISSION"),
        (414, "NEXT", "MEDIA_NOT_REACHABLE"),
        (415, "NEXT", "CHANNEL_REJECT"),
        (416, "NEXT", "CHANNEL_REJECT"),
        (417, "NEXT", "CHANNEL_REJECT"),
        (418, "NEXT", "CHANNEL_REJECT"),
        (999, "NEXT", "CHANNEL_FAILURE"),
    ],
)
def test_a_reports_code_says_why_it_failed_and_what_follows(code, decision, reason):
    receipt = report("Failed", code)

    assert (receipt.decision, receipt.reason.code) == (decision, reason)
    assert code in CODES or code == 999


@pytest.mark.parametrize(
    "status", ["Aborted", "Rejected", "Deleted", "Failed", "Expired", "Cancelled", "Unknown"]
)
def test_what_was_not_delivered_has_failed(status):
    assert report(status, 408).status is ReceiptStatus.FAILED
