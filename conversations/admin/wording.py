"""What pages say of messages: the status and the reason in plain words, the content in a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from conversations.models import Candidate, Status

STATUS_TONES: Final = {
    Status.ACCEPTED: "busy",
    Status.QUEUED_ON_CHANNEL: "busy",
    Status.SWITCHING_CHANNEL: "busy",
    Status.DELIVERED: "good",
    Status.READ: "good",
    Status.FAILED: "bad",
}
STATUS_WORDS: Final = {
    Status.ACCEPTED: "Accepted",
    Status.QUEUED_ON_CHANNEL: "On its way",
    Status.SWITCHING_CHANNEL: "Switching channel",
    Status.DELIVERED: "Delivered",
    Status.READ: "Read",
    Status.FAILED: "Failed",
}
VERDICT_WORDS: Final = {
    Candidate.Verdict.WAITING: "waits its turn",
    Candidate.Verdict.TRYING: "being tried",
    Candidate.Verdict.TAKEN: "took the message",
    Candidate.Verdict.REFUSED: "refused it",
    Candidate.Verdict.NO_CREDENTIAL: "passed over: the app has no credential for it",
    Candidate.Verdict.NO_IDENTITY: "passed over: the contact has no identity on it",
    Candidate.Verdict.OPTED_OUT: "passed over: the contact opted out",
}
REASON_WORDS: Final = {
    "RECIPIENT_NOT_REACHABLE": "The contact cannot be reached on this channel.",
    "RECIPIENT_INVALID_CHANNEL_IDENTITY": "The contact's identity is not valid on this channel.",
    "RECIPIENT_NOT_OPTED_IN": "The contact does not want messages on this channel.",
    "OUTSIDE_ALLOWED_SENDING_WINDOW": "The channel takes messages only for some time after the contact wrote.",
    "NO_CHANNELS_LEFT": "No channel is left to try.",
    "NO_CHANNEL_IDENTITY_FOR_CONTACT": "The contact has no identity on any of the app's channels.",
    "CHANNEL_FAILURE": "The channel failed.",
    "CHANNEL_BAD_CONFIGURATION": "The channel refused the app's credential.",
    "CHANNEL_CONFIGURATION_MISSING": "The app has no credential for this channel.",
    "CHANNEL_REJECT": "The channel refused the message.",
    "DELIVERY_TIMED_OUT": "Nobody reported on it in time.",
    "RATE_LIMITED": "Too many messages at once.",
    "MEDIA_TYPE_UNSUPPORTED": "The channel cannot carry this kind of media.",
    "INTERNAL_ERROR": "This server failed.",
}


def status_word(status: str) -> str:
    """The status as a person says it."""
    return STATUS_WORDS[Status(status)]


def reason_words(reason: Mapping[str, Any] | None) -> str:
    """The contract's Reason in a sentence or two; nothing without one."""
    if not reason:
        return ""
    code, description = str(reason.get("code", "")), str(reason.get("description", ""))
    words = REASON_WORDS.get(code, code.replace("_", " ").capitalize() + ".")
    return f"{words} {description}".strip()


def gist(content: Mapping[str, Any]) -> str:
    """The text of a message, else what kind it is."""
    match content:
        case {"text_message": {"text": str(text)}}:
            return text
        case {"media_message": {"url": str(url)}}:
            return f"Media: {url}"
        case {"choice_message": {"text_message": {"text": str(text)}}}:
            return text
        case {"card_message": {"title": str(title)}}:
            return title
        case {"choice_response_message": {"postback_data": str(data)}}:
            return f"Chose: {data}"
    kinds = [name for name in content if name.endswith("_message")]
    return kinds[0].replace("_", " ").capitalize() if kinds else "(empty)"
