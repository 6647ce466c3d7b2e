"""Forgetting: events, attempts and dead letters go when they are old, whatever an app's retention says."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet

from webhooks.ageing import partitioning
from webhooks.models import Attempt, DeadLetter, Event, Replay

EVENTS_ARE_KEPT: Final = timedelta(days=14)
LOG_IS_KEPT: Final = timedelta(days=30)
BATCH = 2000  # rows deleted in one statement: it holds nobody up for longer than a moment


def forget(*, now: datetime) -> None:
    """Drop the days that are too old, and delete the rest of what is, in batches that each commit.

    Nothing is kept longer than it may be: a day goes when the first of it has to.
    """
    partitioning.drop(partitioning.EVENTS, older_than=now - EVENTS_ARE_KEPT)
    partitioning.drop(partitioning.ATTEMPTS, older_than=now - LOG_IS_KEPT)
    delete(Event.objects.filter(created_at__lt=now - EVENTS_ARE_KEPT))
    delete(Attempt.objects.filter(started_at__lt=now - LOG_IS_KEPT))
    delete(DeadLetter.objects.filter(died_at__lt=now - LOG_IS_KEPT))
    delete(Replay.objects.filter(ended_at__lt=now - LOG_IS_KEPT))


def delete(old: QuerySet[Any]) -> None:
    """Delete these rows, batch by batch."""
    while old.filter(pk__in=old.values("pk")[:BATCH]).delete()[0]:
        continue
