"""SMS over the vendor's REST API (XMS): one batch a message, with a report for its recipient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import orjson

from gateway import signing
from gateway.channels import outcomes
from gateway.channels.base import (
    Capabilities,
    Channel,
    Credential,
    Decision,
    Event,
    Inbound,
    Outbound,
    Outcome,
    RateLimit,
    Reason,
    ReasonCode,
    Receipt,
    Receipts,
    ReceiptStatus,
    Unsendable,
    Unsupported,
)
from gateway.channels.transcoding import explicit, fallback_message, given_to, plain_text, reading
from gateway.http import Request, Response

BASE_URL = "https://us.sms.api.sinch.com"  # other regions: eu, au, br, ca
LONGEST_TEXT = 2000  # characters, in as many parts as they need
LONGEST_LIFE = timedelta(days=3)  # of a batch; its default too

STATUSES = {
    "Queued": ReceiptStatus.QUEUED_ON_CHANNEL,
    "Dispatched": ReceiptStatus.QUEUED_ON_CHANNEL,
    "Delivered": ReceiptStatus.DELIVERED,
    "Aborted": ReceiptStatus.FAILED,
    "Rejected": ReceiptStatus.FAILED,
    "Deleted": ReceiptStatus.FAILED,
    "Failed": ReceiptStatus.FAILED,
    "Expired": ReceiptStatus.FAILED,
    "Cancelled": ReceiptStatus.FAILED,
    "Unknown": ReceiptStatus.FAILED,
}

# What follows a FAILED, by the report's code.
CODES: Mapping[int, tuple[Decision, ReasonCode, str]] = {
    402: (Decision.NEXT, ReasonCode.RECIPIENT_NOT_REACHABLE, "unroutable"),
    403: (Decision.RETRY, ReasonCode.CHANNEL_FAILURE, "internal error"),
    404: (Decision.RETRY, ReasonCode.CHANNEL_FAILURE, "temporary delivery failure"),
    405: (Decision.PERMANENT, ReasonCode.BAD_REQUEST, "a parameter has no value"),
    406: (Decision.NEXT, ReasonCode.DELIVERY_TIMED_OUT, "expired before it was delivered"),
    407: (Decision.PERMANENT, ReasonCode.CHANNEL_REJECT, "cancelled"),
    408: (Decision.NEXT, ReasonCode.CHANNEL_REJECT, "rejected by the message centre"),
    410: (Decision.CREDENTIAL, ReasonCode.CHANNEL_BAD_CONFIGURATION, "no default originator"),
    411: (Decision.PERMANENT, ReasonCode.BAD_REQUEST, "more parts than allowed"),
    412: (Decision.NEXT, ReasonCode.CHANNEL_BAD_CONFIGURATION, "region not provisioned"),
    413: (Decision.CREDENTIAL, ReasonCode.NO_PERMISSION, "account blocked"),
    414: (Decision.NEXT, ReasonCode.MEDIA_NOT_REACHABLE, "bad media"),
    **dict.fromkeys(range(415, 419), (Decision.NEXT, ReasonCode.CHANNEL_REJECT, "MMS refused")),
}


class Sms:
    """A text in as many parts as it needs; media, cards and choices as lines of it."""

    label = "SMS"
    credential_key = "static_bearer"
    capabilities = Capabilities(longest_text=LONGEST_TEXT, receipts=Receipts.DELIVERED)
    # XMS takes batches at once and queues them itself, at the rate of the service plan.
    rate_limits: Sequence[RateLimit] = ()
    redact_keys = frozenset({"authorization"})
    # A repeated client_reference makes a second batch: it is a label, not an idempotency key. But reports
    # bring it back, so a message whose answer was lost can wait for its report instead.
    is_repeatable = False

    def build(self, message: Outbound, credential: Credential, attempt: int) -> Request:
        """A batch for one recipient. The region is the base URL's."""
        plan = quote(str(credential.values.get("claimed_identity", "")), safe="")
        try:
            batch = _content(message.content) | _properties(message.properties)
        except Unsendable as unsendable:
            return outcomes.refused(unsendable)
        batch |= {
            "to": [message.identity],
            "delivery_report": "per_recipient",
            "client_reference": message.id,
        }
        if credential.callback_url:
            batch["callback_url"] = credential.callback_url
        if message.accept_time and message.expires_at:
            deadline = min(message.expires_at, message.accept_time + LONGEST_LIFE)
            batch["expire_at"] = deadline.astimezone(UTC).isoformat(timespec="milliseconds")
        return Request(
            "POST",
            f"{credential.base_url or BASE_URL}/xms/v1/{plan}/batches",
            headers={
                "Authorization": f"Bearer {credential.values.get('token', '')}",
                "Content-Type": "application/json",
            },
            body=orjson.dumps(batch),
            max_body=outcomes.LONGEST_ANSWER,
        )

    def read(self, response: Response) -> Outcome:
        """The id of the batch, else what the HTTP status says."""
        if response.error:
            return outcomes.without_answer(response, is_repeatable=self.is_repeatable)
        match response.status, outcomes.payload(response):
            case (200 | 201, {"id": str(id_)}) if id_:
                return Outcome(Decision.ACCEPTED, channel_message_id=id_)
            case (_, {"code": code, "text": text}):
                return outcomes.by_status(response, f"{code}: {text}")
        return outcomes.by_status(response)

    def verify(self, headers: Mapping[str, str], body: bytes, url: str, secret: str) -> bool:
        """Signed as our own webhooks are, where the credential has a callback secret; else the URL is the secret."""
        return not secret or signing.is_valid(headers, body, secret)

    def parse(self, body: bytes) -> list[Event]:
        """A report on one recipient, or a message of a person."""
        match orjson.loads(body):
            case {
                "type": "recipient_delivery_report_sms",
                "batch_id": str(),
                "status": str(status),
            } as report if status in STATUSES:
                return [_receipt(report, STATUSES[status])]
            case {"type": "mo_text" | "mo_binary" | "mo_media", "id": str(), "from": str()} as message:
                return [_inbound(message)]
            case dict():
                return [Unsupported(body.decode())]
        raise ValueError("An SMS callback is a JSON object.")

    def transcode(self, content: Mapping[str, Any]) -> str:
        """The text that would be sent."""
        return str(_content(content).get("body", ""))


@reading()
def _content(content: Mapping[str, Any]) -> dict[str, Any]:
    """A batch's type and text."""
    if payload := explicit(Channel.SMS, content):
        return payload
    text = plain_text(given_to(Channel.SMS, content))
    if not text:
        raise Unsendable(
            ReasonCode.UNSUPPORTED_OPERATION, "This content has no words that an SMS could carry."
        )
    if len(text) > LONGEST_TEXT:
        raise Unsendable(ReasonCode.UNSUPPORTED_OPERATION, f"An SMS has at most {LONGEST_TEXT} characters.")
    return {"type": "mt_text", "body": text}


def _properties(properties: Mapping[str, str]) -> dict[str, Any]:
    batch: dict[str, Any] = {}
    if sender := properties.get("SMS_SENDER"):
        batch["from"] = sender
    if properties.get("SMS_FLASH_MESSAGE", "").lower() == "true":
        batch["flash_message"] = True
    if most := properties.get("SMS_MAX_NUMBER_OF_MESSAGE_PARTS"):
        if not (most.isascii() and most.isdigit() and int(most)):
            raise Unsendable(
                ReasonCode.BAD_REQUEST, "SMS_MAX_NUMBER_OF_MESSAGE_PARTS must be a number from 1."
            )
        batch["max_number_of_message_parts"] = int(most)
    return batch


def _receipt(report: Mapping[str, Any], status: ReceiptStatus) -> Receipt:
    reason, decision = None, Decision.NEXT
    if status is ReceiptStatus.FAILED:
        given = report.get("code")
        known = CODES.get(given) if isinstance(given, int) else None
        decision, code, words = known or (Decision.NEXT, ReasonCode.CHANNEL_FAILURE, "not delivered")
        reason = Reason(code, f"SMS code {given}: {words}.")
    return Receipt(
        report["batch_id"],
        status,
        reason=reason,
        occurred_at=_moment(report.get("operator_status_at") or report.get("at")),
        message_id=str(report.get("client_reference") or ""),
        decision=decision,
    )


def _inbound(message: Mapping[str, Any]) -> Inbound:
    return Inbound(
        message["id"],
        message["from"],
        _contact_message(message),
        sent_at=_moment(message.get("sent_at") or message.get("received_at")),
        sender_id=str(message.get("to", "")),
    )


def _contact_message(message: Mapping[str, Any]) -> dict[str, Any]:
    match message:
        case {"type": "mo_text", "body": str(text)}:
            return {"text_message": {"text": text}}
        case {"type": "mo_media", "body": {"media": [{"url": str(url)}, *_], **rest}}:
            if caption := rest.get("message") or rest.get("subject"):
                return {"media_card_message": {"url": url, "caption": caption}}
            return {"media_message": {"url": url}}
    return fallback_message(message, f"A message of type {message['type']} cannot be shown.")


def _moment(given: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(given)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (OverflowError, TypeError, ValueError):  # no moment, or one that UTC has not
        return None
