"""Forgetting: events, attempts and dead letters go when they are old, whatever an app's retention says."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet

from webhooks.models import Attempt, DeadLetter, Event

EVENTS_ARE_KEPT: Final = timedelta(days=14)
LOG_IS_KEPT: Final = timedelta(days=30)
BATCH = 5000  # rows deleted in one statement


def forget(*, now: datetime) -> None:
    """Delete what is too old, in batches that each commit, so that nobody waits long for a lock."""
    _delete(Event.objects.filter(created_at__lt=now - EVENTS_ARE_KEPT))
    _delete(Attempt.objects.filter(started_at__lt=now - LOG_IS_KEPT))
    _delete(DeadLetter.objects.filter(died_at__lt=now - LOG_IS_KEPT))


def _delete(old: QuerySet[Any]) -> None:
    while old.filter(pk__in=old.values("pk")[:BATCH]).delete()[0]:
        continue
