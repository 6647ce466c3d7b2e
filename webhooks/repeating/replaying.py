"""Replaying: a webhook gets events once more, with the same id and body, signed anew and behind what is live."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, QuerySet

from outbox import entries
from outbox.models import Entry
from projects import ids
from projects.requests.paging import Page
from webhooks.ageing.forgetting import EVENTS_ARE_KEPT
from webhooks.models import DeadLetter, Event, Replay, Webhook

REPLAY = "webhook_replay"  # kind of the outbox's lanes: the owner is a replay, the refs are events
PAGE: Final = 1000  # events queued in one go; fewer than these wait in a lane before the next are
COUNTED_AT_MOST: Final = 1_000_000
MOMENT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which events: made from `start` up to and without `end`; of one trigger, or of all the webhook hears."""

    start: datetime
    end: datetime
    trigger: str = ""
    only_failed: bool = False

    @classmethod
    def of_dead_letters(cls, *, now: datetime) -> Span:
        """All that was given up and is still there."""
        return cls(start=now - EVENTS_ARE_KEPT, end=now, only_failed=True)


def count(webhook: Webhook, span: Span) -> int:
    """How many events a replay would send; it does not count beyond a million."""
    return _events(webhook, span)[:COUNTED_AT_MOST].count()


@transaction.atomic
def start(webhook: Webhook, span: Span, *, per_second: int, asked_by: str, now: datetime) -> Replay:
    """Begin a replay; its first page is queued at once, the clock brings the others.

    Raises ValidationError when nothing is sent to the webhook, another replay of it still runs, or the span
    is none.
    """
    replay = Replay(
        webhook=webhook, start_time=span.start, end_time=span.end, trigger=span.trigger,
        only_failed=span.only_failed, per_second=per_second, asked_by=asked_by, asked_at=now,
        count=count(webhook, span),
    )  # fmt: skip
    _begin(replay)
    _queue(replay, *_page(replay))
    return replay


@transaction.atomic
def again(webhook: Webhook, event: Event, *, asked_by: str, now: datetime) -> Replay:
    """Deliver one event once more. Raises ValidationError when nothing is sent to the webhook."""
    replay = Replay(
        webhook=webhook, event_id=event.id, start_time=event.created_at, end_time=event.created_at + MOMENT,
        asked_by=asked_by, asked_at=now, count=1,
    )  # fmt: skip
    _begin(replay)
    _queue(replay, [event], "")
    return replay


@transaction.atomic
def cancel(replay: Replay, *, now: datetime) -> None:
    """Send no more of it; what is under way arrives. Once it has ended this changes nothing."""
    held = Replay.objects.running().select_for_update(no_key=True).filter(pk=replay.pk).first()
    if held:
        _end(held, Replay.State.CANCELLED, now=now)
    replay.refresh_from_db()


def abandon(webhook: Webhook) -> None:
    """Send no more of any, because the webhook goes and its replays with it."""
    for replay_id in webhook.replays.running().values_list("pk", flat=True):
        entries.close(REPLAY, ids.to_uuid(replay_id))


def advance(*, now: datetime) -> None:
    """Queue the next page of each replay whose lane runs empty, and end those that have nothing left."""
    for replay_id in Replay.objects.running().values_list("pk", flat=True):
        _advance(replay_id, now=now)


def waiting(replays: Iterable[Replay]) -> dict[str, int]:
    """By replay how many of its events are queued and not done, in one query; without an entry where there are none."""
    owners = [ids.to_uuid(replay.id) for replay in replays if replay.state == Replay.State.RUNNING]
    entries_of = Entry.objects.filter(lane__kind=REPLAY, lane__owner__in=owners)
    counted = entries_of.values_list("lane__owner").annotate(Count("pk"))
    return {ids.from_uuid(owner): number for owner, number in counted}


@transaction.atomic
def _advance(replay_id: str, *, now: datetime) -> None:
    """One step of one replay, unless another worker is at it."""
    replay = (
        Replay.objects.running().select_for_update(skip_locked=True, no_key=True).filter(pk=replay_id).first()
    )
    if replay is None:
        return
    left = waiting([replay]).get(replay.id, 0)
    if not replay.is_queued and left < PAGE:
        _queue(replay, *_page(replay))
    elif replay.is_queued and not left:
        _end(replay, Replay.State.FINISHED, now=now)


def _begin(replay: Replay) -> None:
    # Its row is held, so that two who begin at once take turns.
    if not Webhook.objects.called().select_for_update(no_key=True, of=["self"]).filter(pk=replay.webhook_id):
        raise ValidationError("Nothing is sent to this webhook: enable it, or give it the target type HTTP.")
    replay.validate_constraints()
    replay.save(force_insert=True)


def _page(replay: Replay) -> tuple[Sequence[Event], str]:
    """The events that come next, and where the page after them begins."""
    span = Span(
        start=replay.start_time, end=replay.end_time, trigger=replay.trigger, only_failed=replay.only_failed
    )
    events = _events(replay.webhook, span).only("created_at")
    return Page(PAGE, replay.cursor).cut(events, by=("created_at", "id"))


def _queue(replay: Replay, events: Sequence[Event], cursor: str) -> None:
    lane = ids.to_uuid(replay.id)
    entries.put(REPLAY, [(lane, ids.to_uuid(event.id)) for event in events])
    replay.queued += len(events)
    replay.cursor, replay.is_queued = cursor, not cursor
    replay.save(update_fields=["queued", "cursor", "is_queued"])


def _end(replay: Replay, state: Replay.State, *, now: datetime) -> None:
    entries.close(REPLAY, ids.to_uuid(replay.id))
    replay.state, replay.ended_at = state, now
    replay.save(update_fields=["state", "ended_at"])


def _events(webhook: Webhook, span: Span) -> QuerySet[Event]:
    """Those of the span, as far as they are still kept; not those that went to a callback_url instead."""
    events = Event.objects.filter(
        app=webhook.app_id,
        callback_url="",
        created_at__gte=span.start,
        created_at__lt=span.end,
        trigger__in=[span.trigger] if span.trigger else webhook.triggers,
    )
    if span.only_failed:
        events = events.filter(pk__in=DeadLetter.objects.filter(webhook=webhook).values("event_id"))
    return events
