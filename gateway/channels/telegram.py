"""Telegram's Bot API: a bot writes to the private chats of persons who wrote to it first."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson

from gateway.channels import outcomes, telegram_calls, telegram_updates
from gateway.channels.base import (
    Capabilities,
    Credential,
    Decision,
    Event,
    Outbound,
    Outcome,
    RateLimit,
    Reason,
    ReasonCode,
    Receipts,
    Unsendable,
)
from gateway.http import Request, Response

BASE_URL = "https://api.telegram.org"
SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - the header's name

# What a refusal means, by its status and words in it: the first that fits. Anything else with status 400 is our
# own mistake.
REFUSALS: Mapping[tuple[int, str], tuple[Decision, ReasonCode]] = {
    (403, "bot was blocked by the user"): (Decision.OPTED_OUT, ReasonCode.RECIPIENT_NOT_OPTED_IN),
    (403, "user is deactivated"): (Decision.OPTED_OUT, ReasonCode.RECIPIENT_NOT_REACHABLE),
    # It never wrote to the bot, or is a bot itself.
    (403, ""): (Decision.NEXT, ReasonCode.RECIPIENT_NOT_REACHABLE),
    (400, "chat not found"): (Decision.NEXT, ReasonCode.RECIPIENT_INVALID_CHANNEL_IDENTITY),
    (400, "user not found"): (Decision.NEXT, ReasonCode.RECIPIENT_INVALID_CHANNEL_IDENTITY),
    (400, "peer_id_invalid"): (Decision.NEXT, ReasonCode.RECIPIENT_INVALID_CHANNEL_IDENTITY),
    (400, "failed to get http url content"): (Decision.NEXT, ReasonCode.MEDIA_NOT_REACHABLE),
    (400, "wrong file identifier"): (Decision.NEXT, ReasonCode.MEDIA_NOT_REACHABLE),
    (400, "wrong type of the web page content"): (Decision.NEXT, ReasonCode.MEDIA_TYPE_UNSUPPORTED),
    (400, "file is too big"): (Decision.NEXT, ReasonCode.MEDIA_TOO_LARGE),
    (413, ""): (Decision.NEXT, ReasonCode.MEDIA_TOO_LARGE),
    (409, ""): (Decision.CREDENTIAL, ReasonCode.CHANNEL_BAD_CONFIGURATION),  # somebody else polls this bot
}


class Telegram:
    """A bot. It is never told whether a message arrived, so a message that it took stays QUEUED_ON_CHANNEL."""

    label = "Telegram"
    credential_key = "telegram_credentials"
    capabilities = Capabilities(
        longest_text=telegram_calls.LONGEST_TEXT,
        longest_caption=telegram_calls.LONGEST_CAPTION,
        receipts=Receipts.NONE,
        media=frozenset({"image", "video", "audio", "document"}),
        buttons=telegram_calls.BUTTONS,
    )
    rate_limits: Sequence[RateLimit] = (RateLimit(30, 1.0), RateLimit(1, 1.0, is_per_recipient=True))
    redact_keys = frozenset({"secret_token"})
    is_repeatable = False  # the Bot API knows no idempotency key

    def build(self, message: Outbound, credential: Credential, attempt: int) -> Request:
        """One call of one method: a medium with its caption, a text, a place or a contact."""
        try:
            method, payload = telegram_calls.compose(message.content, message_id=message.id)
        except Unsendable as unsendable:
            return outcomes.refused(unsendable)
        payload = {**payload, "chat_id": message.identity}
        without_preview = message.properties.get("TELEGRAM_DISABLE_LINK_PREVIEW", "").lower() == "true"
        if without_preview and method == "sendMessage":
            payload["link_preview_options"] = {"is_disabled": True}
        token = quote(str(credential.values.get("token", "")), safe=":")
        return Request(
            "POST",
            f"{credential.base_url or BASE_URL}/bot{token}/{method}",
            headers={"Content-Type": "application/json"},
            body=orjson.dumps(payload),
            max_body=outcomes.LONGEST_ANSWER,
        )

    def read(self, response: Response) -> Outcome:
        """The id is `chat:message`: Telegram numbers messages within a chat."""
        if response.error:
            return outcomes.without_answer(response, is_repeatable=self.is_repeatable)
        match outcomes.payload(response):
            case {"ok": True, "result": {"message_id": int(number), "chat": {"id": int(chat)}}}:
                return Outcome(Decision.ACCEPTED, channel_message_id=f"{chat}:{number}")
            case {"parameters": {"retry_after": int() | float() as seconds}, "description": str(words)}:
                reason = Reason(ReasonCode.RATE_LIMITED, words)
                return Outcome(Decision.RETRY, reason=reason, after=float(seconds))
            case {"description": str(words)}:
                return _refusal(response, words)
        return _refusal(response, "")

    def verify(self, headers: Mapping[str, str], body: bytes, url: str, secret: str) -> bool:
        """By the secret that was given to setWebhook, where there is one; else the URL is the secret."""
        return not secret or hmac.compare_digest(headers.get(SECRET_HEADER, "").encode(), secret.encode())

    def parse(self, body: bytes) -> list[Event]:
        """A message, a button that was pressed, or a person who blocked the bot."""
        return telegram_updates.events(body)

    def callback_answer(self, body: bytes) -> Mapping[str, Any]:
        """A button that was pressed shows that it waits until the bot has answered."""
        match orjson.loads(body):
            case {"callback_query": {"id": str(id_)}}:
                return {"method": "answerCallbackQuery", "callback_query_id": id_}
        return {}

    def transcode(self, content: Mapping[str, Any]) -> str:
        """The call that would be made, as JSON with its `method`."""
        method, payload = telegram_calls.compose(content, message_id="")
        return orjson.dumps({"method": method, **payload}).decode()


def _refusal(response: Response, words: str) -> Outcome:
    for (status, phrase), (decision, code) in REFUSALS.items():
        if response.status == status and phrase in words.lower():
            return Outcome(decision, reason=Reason(code, words or f"Telegram answered with status {status}."))
    return outcomes.by_status(response, words)
