"""Deliveries to one webhook, to be read: each try, what waits, and all that is known of one event's way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, OuterRef, QuerySet

from outbox.models import Entry
from projects import ids
from webhooks.models import Attempt, DeadLetter, Event, Webhook
from webhooks.publishing import WEBHOOK

STATUS_CLASSES: Final = {"2xx": 2, "3xx": 3, "4xx": 4, "5xx": 5, "none": 0}  # none: no answer came
COUNTED_AT_MOST: Final = 5_000
NEWEST_FIRST: Final = ("-started_at", "-id")
IN_TURN: Final = ("next_at", "id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which tries; what is empty does not matter."""

    trigger: str = ""
    result: str = ""
    status_class: str = ""
    start_time: datetime | None = None
    end_time: datetime | None = None
    event_id: str = ""
    replay_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one webhook."""

    event: Event | None  # None: purged, or older than events are kept
    attempts: Sequence[Attempt]  # the newest first
    waiting: Entry | None
    dead_letter: DeadLetter | None
    copies: QuerySet[Attempt]  # sent to other URLs by hand, the newest first; read when looked at


def attempts(webhook: Webhook, wanted: Filters) -> QuerySet[Attempt]:
    """The tries that the filters leave, to be ordered by NEWEST_FIRST."""
    rows = Attempt.objects.filter(webhook=webhook)
    for lookup, value in {
        "result": wanted.result,
        "started_at__gte": wanted.start_time,
        "started_at__lt": wanted.end_time,
        "event_id": wanted.event_id,
        "replay_id": wanted.replay_id,
    }.items():
        if value:
            rows = rows.filter(**{lookup: value})
    if wanted.trigger:
        rows = rows.filter(Exists(Event.objects.filter(pk=OuterRef("event_id"), trigger=wanted.trigger)))
    return _of_status(rows, wanted.status_class)


def latest_attempts(webhook: Webhook, wanted: Filters) -> QuerySet[Attempt]:
    """Of each delivery its newest try, where the filters leave that one."""
    later = Attempt.objects.filter(
        webhook=webhook,
        event_id=OuterRef("event_id"),
        started_at__gte=OuterRef("started_at"),
        pk__gt=OuterRef("pk"),
    )
    return attempts(webhook, wanted).filter(~Exists(later))


def waiting(webhook: Webhook) -> QuerySet[Entry]:
    """What is to be delivered, for the first time or again; to be ordered by IN_TURN."""
    return Entry.objects.filter(lane__kind=WEBHOOK, lane__owner=ids.to_uuid(webhook.id))


def waiting_count(webhook: Webhook) -> int:
    """How many; it does not count beyond a few thousand."""
    return waiting(webhook)[:COUNTED_AT_MOST].count()


def triggers_of(event_ids: Iterable[str]) -> dict[str, str]:
    """By event its trigger; those that were purged are left out."""
    rows = Event.objects.filter(pk__in=set(event_ids)).values_list("pk", "trigger")
    return dict(rows)


def delivery(webhook: Webhook, event_id: str) -> Delivery | None:
    """All that is known of it; None where the event was never on its way to this webhook."""
    tried = list(Attempt.objects.filter(webhook=webhook, event_id=event_id).order_by(*NEWEST_FIRST))
    entry = waiting(webhook).filter(ref=ids.to_uuid(event_id)).first()
    dead_letter = DeadLetter.objects.filter(webhook=webhook, event_id=event_id).first()
    if not (tried or entry or dead_letter):
        return None
    event = Event.objects.filter(pk=event_id, app=webhook.app_id).first()
    copies = Attempt.objects.filter(webhook=None, event_id=event_id, app=webhook.app_id).order_by(
        *NEWEST_FIRST
    )
    return Delivery(event=event, attempts=tried, waiting=entry, dead_letter=dead_letter, copies=copies)


def _of_status(rows: QuerySet[Attempt], status_class: str) -> QuerySet[Attempt]:
    match STATUS_CLASSES.get(status_class):
        case None:
            return rows
        case 0:
            return rows.filter(status_code=None)
        case hundreds:
            bounds: Any = (hundreds * 100, hundreds * 100 + 99)
            return rows.filter(status_code__range=bounds)
