"""What a try means where the provider's own words say nothing: the same on every channel."""

from __future__ import annotations

from typing import Any

import orjson

from gateway.channels.base import Decision, Outcome, Reason, ReasonCode, Unsendable
from gateway.http import Request, Response

LONGEST_ANSWER = 65_536  # bytes: providers repeat the message in theirs, with its letters escaped


def refused(unsendable: Unsendable) -> Request:
    """A request for content that the channel cannot carry: already answered, nothing is dialled."""
    answer = Response(
        0, headers={"reason": unsendable.code}, error="unsendable", detail=unsendable.description
    )
    return Request("POST", "unsendable:", answer=answer)


def without_answer(response: Response, *, is_repeatable: bool) -> Outcome:
    """What follows when `response.error` says why there is no answer.

    A request that may have reached the provider is tried again only where a repeat is taken for the same
    message: a person who gets a message twice is worse off than one whose message waits for its receipt.
    """
    decision, code = Decision.RETRY, ReasonCode.CHANNEL_FAILURE
    match response.error:
        case "unsendable":
            decision, code = Decision.NEXT, ReasonCode(response.headers["reason"])
        case "forbidden" | "bad_url":
            decision, code = Decision.CREDENTIAL, ReasonCode.CHANNEL_BAD_CONFIGURATION
        # A time-out without a peer never got a connection.
        case "timeout" | "protocol" if response.peer and not is_repeatable:
            decision = Decision.UNKNOWN
    return Outcome(decision, reason=Reason(code, response.detail or response.error))


def by_status(response: Response, description: str = "") -> Outcome:
    """What an HTTP status alone says."""
    decision, code = _meaning(response.status)
    words = description or f"The provider answered with status {response.status}."
    after = retry_after(response) if decision is Decision.RETRY else None
    return Outcome(decision, reason=Reason(code, words), after=after)


def retry_after(response: Response) -> float | None:
    """The seconds that the provider asks us to wait, if it does."""
    given = response.headers.get("retry-after", "")
    return float(given) if given.isascii() and given.isdigit() else None


def payload(response: Response) -> Any:
    """The JSON of an answer; None where it holds none."""
    try:
        return orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return None


def _meaning(status: int) -> tuple[Decision, ReasonCode]:
    if status == 429:
        return Decision.RETRY, ReasonCode.RATE_LIMITED
    if status == 408 or status >= 500:
        return Decision.RETRY, ReasonCode.CHANNEL_FAILURE
    if status in {401, 402, 403, 404} or 300 <= status < 400:
        return Decision.CREDENTIAL, ReasonCode.CHANNEL_BAD_CONFIGURATION
    if status >= 400:
        return Decision.PERMANENT, ReasonCode.BAD_REQUEST
    # A success in words that nobody here understands: whatever answered has had the message.
    return Decision.UNKNOWN, ReasonCode.CHANNEL_FAILURE
