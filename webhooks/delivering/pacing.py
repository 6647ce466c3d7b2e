"""Pacing: all events of an app, wherever they go, keep to its `rate_limits.webhooks`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from django.db.models import OuterRef, Subquery

from outbox.kinds import Pace
from outbox.models import Entry, Lane
from projects import ids
from webhooks.models import Event, Webhook
from webhooks.publishing import CALLBACK_URL

Find = Callable[[Sequence[UUID]], Mapping[UUID, Pace]]


def webhooks(owners: Sequence[UUID]) -> dict[UUID, Pace]:
    """Of webhooks' lanes, in one query."""
    rows = Webhook.objects.filter(pk__in=[ids.from_uuid(owner) for owner in owners])
    limits = rows.values_list("pk", "app_id", "app__webhook_rate")
    return {ids.to_uuid(webhook_id): _pace(app_id, rate) for webhook_id, app_id, rate in limits if rate}


def callback_urls(owners: Sequence[UUID]) -> dict[UUID, Pace]:
    """Of lanes that belong to no row: any event that waits in one tells whose it is. In two queries."""
    waiting = Subquery(Entry.objects.filter(lane=OuterRef("pk")).values("ref")[:1])
    lanes = Lane.objects.filter(kind=CALLBACK_URL, owner__in=owners).annotate(event=waiting)
    events = {owner: ids.from_uuid(event) for owner, event in lanes.values_list("owner", "event") if event}
    rows = Event.objects.filter(pk__in=events.values()).values_list("pk", "app_id", "app__webhook_rate")
    limits = {event_id: _pace(app_id, rate) for event_id, app_id, rate in rows if rate}
    return {owner: limits[event] for owner, event in events.items() if event in limits}


def _pace(app_id: str, rate: int) -> Pace:
    return Pace(f"webhooks of {app_id}", rate)
