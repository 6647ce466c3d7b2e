"""Retrying: what an answer means for a delivery, when a failed one is tried again, and when it is given up."""

from __future__ import annotations

import contextlib
import random
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from django.conf import settings

from gateway.http import Response
from outbox.kinds import Breaker, Claimed, Decision, Verdict

GONE = 410
GONE_REASON = "HTTP 410: the receiver is gone"
DISABLED = "disabled"  # an error of our own: the webhook is switched off, so nothing was sent
EXPIRED = "expired"  # another: the receiver failed until the event's time was over
UNASKED = frozenset({DISABLED, EXPIRED})  # nothing was sent, so it says nothing of the receiver
NEVER_SENT = frozenset({"forbidden", "bad_url"})  # another try would end the same way
_NOT_SENT = UNASKED | NEVER_SENT
SLOW_DOWN = frozenset({429, 502, 503, 504})  # answers whose Retry-After counts
HALF = 0.5  # what a refusal counts against a receiver: it may be the event's fault
LONGEST_RETRY_AFTER = 3600.0  # seconds
LONGEST_BREAK = 600.0  # seconds
JITTER = 0.2  # added, never taken away
DOUBLINGS = 32  # beyond them any cap holds
TAKEN = Verdict(Decision.DONE)


def judge(claimed: Claimed, response: Response, *, is_4xx_final: bool) -> Verdict:
    """Taken, to be tried again, or given up; then the outcome is the reason."""
    if response.is_success:
        return TAKEN
    pause = asked_for(response, at=claimed.due_at)
    after = max(wait(claimed.attempt), pause)
    if _is_final(response, is_4xx_final=is_4xx_final) or is_too_late(claimed, after=after):
        return Verdict(Decision.DEAD, pause=pause, strain=_strain(response), outcome=failure(response))
    return Verdict(
        Decision.RETRY,
        after=after,
        pause=pause,
        slows_down=response.status in SLOW_DOWN,
        strain=_strain(response),
    )


def breaker() -> Breaker:
    """How long a receiver is left alone that fails again and again."""
    cap = float(settings.WEBHOOK_RETRY_CAP)
    return Breaker(min(settings.WEBHOOK_RETRY_BASE, cap), min(LONGEST_BREAK, cap))


def failure(response: Response) -> str:
    """What went wrong, in a few words."""
    if response.status == GONE:
        return GONE_REASON
    if response.status:
        return f"HTTP {response.status}"
    return f"{response.error}: {response.detail}" if response.detail else response.error


def wait(attempt: int) -> float:
    """Seconds after the try of this number, counted from 1, as the schedule has it."""
    seconds = min(settings.WEBHOOK_RETRY_BASE * 2 ** min(attempt - 1, DOUBLINGS), settings.WEBHOOK_RETRY_CAP)
    return float(seconds * (1 + random.uniform(0, JITTER)))  # noqa: S311 - spreads load, guards nothing


def asked_for(response: Response, *, at: datetime) -> float:
    """Seconds the receiver wants to be left alone, 0.0 when it says nothing that counts; never over the cap.

    A date is read against the receiver's own clock, or `at` when it does not tell it.
    """
    if response.status not in SLOW_DOWN:
        return 0.0
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        seconds = float(text)
    else:
        sent_at = _date(response.headers.get("date", "")) or at
        seconds = ((_date(text) or sent_at) - sent_at).total_seconds()
    return float(min(max(seconds, 0.0), LONGEST_RETRY_AFTER, settings.WEBHOOK_RETRY_CAP))


def is_over(claimed: Claimed, *, at: datetime) -> bool:
    """Whether the window has ended."""
    return max(claimed.due_at, at) > _ends_at(claimed)


def is_too_late(claimed: Claimed, *, after: float) -> bool:
    """Whether a try so many seconds after this one would lie beyond the window."""
    return claimed.due_at + timedelta(seconds=after) > _ends_at(claimed)


def _ends_at(claimed: Claimed) -> datetime:
    return claimed.created_at + timedelta(seconds=settings.WEBHOOK_RETRY_WINDOW)


def _is_final(response: Response, *, is_4xx_final: bool) -> bool:
    if response.status == GONE or response.error in _NOT_SENT:
        return True
    return is_4xx_final and 400 <= response.status < 500 and response.status not in SLOW_DOWN


def _strain(response: Response) -> float:
    if response.error in _NOT_SENT:
        return 0.0
    return HALF if 400 <= response.status < 500 else 1.0


def _date(text: str) -> datetime | None:
    with contextlib.suppress(ValueError, OverflowError):
        moment = parsedate_to_datetime(text)
        return moment if moment.tzinfo else None
    return None
