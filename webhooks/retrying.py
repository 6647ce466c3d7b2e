"""Retrying: when a failed delivery is tried again, and when it is given up."""

from __future__ import annotations

import contextlib
import random
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from django.conf import settings

from gateway.http import Response
from outbox.kinds import Claimed

SLOW_DOWN = frozenset({429, 502, 503, 504})  # answers whose Retry-After counts
LONGEST_RETRY_AFTER = 3600.0  # seconds
JITTER = 0.2  # added, never taken away
DOUBLINGS = 32  # beyond them any cap holds


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


def is_too_late(claimed: Claimed, *, after: float) -> bool:
    """Whether a try so many seconds after this one would lie beyond the window."""
    window = timedelta(seconds=settings.WEBHOOK_RETRY_WINDOW)
    return claimed.due_at + timedelta(seconds=after) > claimed.created_at + window


def _date(text: str) -> datetime | None:
    with contextlib.suppress(ValueError, OverflowError):
        moment = parsedate_to_datetime(text)
        return moment if moment.tzinfo else None
    return None
