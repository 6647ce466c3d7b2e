"""The sandbox: a channel without a provider. The last two characters of an identity choose what happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from gateway import signing
from gateway.channels import outcomes, transcoding
from gateway.channels.abilities import Capability, CapabilityStatus, OutboundEvent
from gateway.channels.base import (
    Capabilities,
    ChannelEvent,
    Credential,
    Decision,
    Echo,
    Event,
    Inbound,
    InboundEvent,
    OptOut,
    Outbound,
    Outcome,
    RateLimit,
    Reason,
    ReasonCode,
    Receipt,
    Receipts,
    ReceiptStatus,
    Unsupported,
)
from gateway.http import Request, Response

DELIVERED_AFTER, NEXT_AFTER = 0.1, 0.25  # seconds until the first callback and the second
THROTTLED_FOR = 1.0  # seconds
THROTTLED_ATTEMPTS = 2

_STATUSES = frozenset(ReceiptStatus)
_REASON_CODES = frozenset(ReasonCode)
# What a contact can do: wire contract 4.6.
_EVENTS: dict[str, frozenset[str]] = {
    "contact_event": frozenset(
        {
            "composing_event",
            "composing_end_event",
            "comment_event",
            "conversation_deleted_event",
            "generic_event",
        }
    ),
    "contact_message_event": frozenset(
        {"payment_status_update_event", "shortlink_activated_event", "reaction_event"}
    ),
}
# Crockford's base 32, in which ULIDs are written, to the digits that int() reads.
_CROCKFORD = str.maketrans("0123456789ABCDEFGHJKMNPQRSTVWXYZ", "0123456789abcdefghijklmnopqrstuv")


class Sandbox:
    """Plays a provider: takes messages, throttles, refuses, reports and answers, as the identity says."""

    label = "Sandbox"
    credential_key = "static_bearer"
    capabilities = Capabilities(
        longest_text=1_000_000,  # no message comes near
        longest_caption=1_000_000,
        receipts=Receipts.READ,
        media=frozenset({"image", "video", "audio", "document"}),
        buttons=frozenset({"text_message", "url_message", "call_message", "share_location_message"}),
    )
    rate_limits: Sequence[RateLimit] = ()
    redact_keys: frozenset[str] = frozenset()
    is_repeatable = True

    def build(self, message: Outbound, credential: Credential, attempt: int) -> Request:
        """A request that is already answered, so that nothing is dialled."""
        answer = _answer(message, credential, attempt)
        return Request("POST", "sandbox:messages", answer=Response(200, body=orjson.dumps(answer)))

    def build_event(self, event: OutboundEvent, credential: Credential, attempt: int) -> Request:
        """The same for an event, of whatever kind."""
        answer = _answer(event, credential, attempt)
        return Request("POST", "sandbox:events", answer=Response(200, body=orjson.dumps(answer)))

    def ask_capability(self, identity: str, credential: Credential) -> Request:
        """Whoever can be reached can receive everything."""
        status = CapabilityStatus.CAPABILITY_FULL
        if identity.endswith("03"):
            status = CapabilityStatus.NO_CAPABILITY
        answer = orjson.dumps({"status": status})
        return Request("GET", "sandbox:capabilities", answer=Response(200, body=answer))

    def read_capability(self, response: Response) -> Capability:
        """What the sandbox said."""
        match outcomes.payload(response):
            case {"status": CapabilityStatus.CAPABILITY_FULL}:
                return Capability(CapabilityStatus.CAPABILITY_FULL)
            case {"status": CapabilityStatus.NO_CAPABILITY}:
                reason = Reason(ReasonCode.RECIPIENT_NOT_REACHABLE, "Sandbox: nobody is there.")
                return Capability(CapabilityStatus.NO_CAPABILITY, reason=reason)
        reason = Reason(ReasonCode.CHANNEL_FAILURE, response.detail)
        return Capability(CapabilityStatus.CAPABILITY_UNKNOWN, reason=reason)

    def ask_profile(self, identity: str, credential: Credential) -> Request:
        """Everybody has a name here."""
        answer = orjson.dumps({"name": _name(identity)})
        return Request("GET", "sandbox:profiles", answer=Response(200, body=answer))

    def read_profile(self, response: Response) -> str:
        """The name."""
        match outcomes.payload(response):
            case {"name": str(name)}:
                return name
        return ""

    def read(self, response: Response) -> Outcome:
        """What the sandbox decided, with the callbacks it is going to make."""
        if response.error:
            return outcomes.without_answer(response, is_repeatable=self.is_repeatable)
        match outcomes.payload(response):
            case {"decision": decision, "id": id_, "reason": reason, "after": after, "echoes": list(echoes)}:
                return Outcome(
                    Decision(decision),
                    channel_message_id=id_,
                    reason=_reason(reason),
                    after=after,
                    echoes=tuple(Echo(e["delay"], e["headers"], e["body"].encode()) for e in echoes),
                )
        return Outcome(Decision.RETRY, reason=Reason(ReasonCode.CHANNEL_FAILURE, response.detail))

    def verify(self, headers: Mapping[str, str], body: bytes, url: str, secret: str) -> bool:
        """Signed as our own webhooks are, where the credential has a callback secret."""
        return not secret or signing.is_valid(headers, body, secret)

    def parse(self, body: bytes) -> list[Event]:
        """A receipt, what a contact wrote or did, an opt-out or an event of the channel, in the sandbox's own JSON."""
        match orjson.loads(body):
            case {"type": "receipt", "id": str(id_), "status": str(status), **rest} if status in _STATUSES:
                return [Receipt(id_, ReceiptStatus(status), reason=_reason(rest.get("reason")))]
            case {"type": "inbound", "id": str(id_), "from": str(sender), "content": dict(content), **rest}:
                return [Inbound(id_, sender, content, profile_name=str(rest.get("name", "")))]
            case {"type": "opt_out", "from": str(sender)}:
                return [OptOut(sender)]
            case {"type": "event", "id": str(id_), "from": str(sender), **rest} if done := _event(rest):
                return [InboundEvent(id_, sender, done, profile_name=str(rest.get("name", "")))]
            case {"type": "channel_event", "event_type": str(kind), **rest}:
                data = rest.get("data")
                return [ChannelEvent(kind, data if isinstance(data, dict) else {})]
            case {**rest}:
                return [Unsupported(body.decode(), identity=str(rest.get("from", "")))]
        raise ValueError("A sandbox callback is a JSON object.")

    def transcode(self, content: Mapping[str, Any]) -> str:
        """The message as it would be read aloud."""
        return transcoding.plain_text(content)


def inbound_callback(
    identity: str,
    content: Mapping[str, Any],
    *,
    credential: Credential,
    channel_message_id: str,
    profile_name: str = "",
    delay: float = 0.0,
) -> Echo:
    """The callback by which this contact would send `content`, a ContactMessage, signed if need be.

    `channel_message_id` begins with a ULID: the time in it is the time of the signature.
    """
    payload = {
        "type": "inbound",
        "id": channel_message_id,
        "from": identity,
        "name": profile_name,
        "content": content,
    }
    return _signed(payload, delay=delay, secret=credential.callback_secret)


def _answer(message: Outbound | OutboundEvent, credential: Credential, attempt: int) -> dict[str, Any]:
    # The same try again is the same message to the channel, as with a good provider's idempotency key.
    id_ = f"{message.id}-{attempt}"
    match message.identity[-2:]:
        case "03":
            return _refusal(Decision.NEXT, ReasonCode.RECIPIENT_NOT_REACHABLE, "nobody is there")
        case "06" if attempt <= THROTTLED_ATTEMPTS:
            refusal = _refusal(Decision.RETRY, ReasonCode.RATE_LIMITED, "too many at once")
            return refusal | {"after": THROTTLED_FOR}
        case "07":
            return _refusal(Decision.OPTED_OUT, ReasonCode.RECIPIENT_NOT_OPTED_IN, "the contact opted out")
        case ending:
            echoes = _echoes(ending, id_, message, credential)
            shown = [{"delay": e.delay, "headers": dict(e.headers), "body": e.body.decode()} for e in echoes]
            return {"decision": "ACCEPTED", "id": id_, "reason": None, "after": None, "echoes": shown}


def _refusal(decision: Decision, code: ReasonCode, description: str) -> dict[str, Any]:
    reason = {"code": code, "description": f"Sandbox: {description}."}
    return {"decision": decision, "id": "", "reason": reason, "after": None, "echoes": []}


def _echoes(ending: str, id_: str, message: Outbound | OutboundEvent, credential: Credential) -> list[Echo]:
    """The callbacks that follow a message or event which was taken."""
    secret = credential.callback_secret
    delivered = _receipt(id_, ReceiptStatus.DELIVERED, delay=DELIVERED_AFTER, secret=secret)
    match ending:
        case "02" if isinstance(message, Outbound):
            return [delivered, _receipt(id_, ReceiptStatus.READ, delay=NEXT_AFTER, secret=secret)]
        case "04":
            return [_receipt(id_, ReceiptStatus.FAILED, delay=DELIVERED_AFTER, secret=secret)]
        case "05":
            return []
        case "08" if isinstance(message, OutboundEvent):
            return [delivered, _composing(id_, message.identity, secret=secret)]
        case "08":
            answer = inbound_callback(
                message.identity,
                {"text_message": {"text": f"You said: {_gist(message.content)}"}},
                credential=credential,
                channel_message_id=f"{id_}-answer",
                profile_name=_name(message.identity),
                delay=NEXT_AFTER,
            )
            return [delivered, answer]
        case _:
            return [delivered]


def _receipt(id_: str, status: ReceiptStatus, *, delay: float, secret: str) -> Echo:
    payload: dict[str, Any] = {"type": "receipt", "id": id_, "status": status}
    if status is ReceiptStatus.FAILED:
        payload["reason"] = {"code": ReasonCode.CHANNEL_FAILURE, "description": "Sandbox: lost on its way."}
    return _signed(payload, delay=delay, secret=secret)


def _composing(id_: str, identity: str, *, secret: str) -> Echo:
    payload = {
        "type": "event",
        "id": f"{id_}-answer",
        "from": identity,
        "name": _name(identity),
        "contact_event": {"composing_event": {}},
    }
    return _signed(payload, delay=NEXT_AFTER, secret=secret)


def _signed(payload: dict[str, Any], *, delay: float, secret: str) -> Echo:
    body = signing.encode(payload)
    nonce = f"{payload['id']}-{payload.get('status', payload['type'])}"
    timestamp = int(payload["id"][:10].translate(_CROCKFORD), 32) // 1000
    headers = signing.headers(body, secret, nonce=nonce, timestamp=timestamp) if secret else {}
    return Echo(delay, {"content-type": "application/json", **headers}, body)


def _gist(content: Mapping[str, Any]) -> str:
    """The text of an AppMessage, else the kind that it is."""
    match content:
        case {"text_message": {"text": str(text)}}:
            return text
    return next((kind.replace("_", " ") for kind in content if kind.endswith("_message")), "nothing")


def _name(identity: str) -> str:
    return f"Sandbox {identity}"


def _event(said: Mapping[Any, Any]) -> dict[str, Any]:
    """What the contact did, under the contract's key; empty where that is not one known thing."""
    match [(group, said[group]) for group in _EVENTS if group in said]:
        case [(group, dict(done))] if len(done) == 1 and done.keys() <= _EVENTS[group]:
            return {group: done}
    return {}


def _reason(given: Any) -> Reason | None:
    match given:
        case {"code": str(code), **rest}:
            known = ReasonCode(code) if code in _REASON_CODES else ReasonCode.UNKNOWN
            return Reason(known, str(rest.get("description", "")))
    return None
