"""The API's door to deliveries, replays and test events: our extension of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from outbox.models import Entry
from projects import clock, ids
from projects.audit import by_key
from projects.requests.inputs import Flag, Input, OneOf, Text, Whole
from projects.requests.paging import Page
from projects.requests.scoping import ProjectView, found
from webhooks import subscribing
from webhooks.api import delivery_payloads, payloads
from webhooks.api.delivery_payloads import WAITING
from webhooks.models import FASTEST, Attempt, Event, Replay, Webhook
from webhooks.repeating import deliveries, replaying
from webhooks.repeating.deliveries import IN_TURN, NEWEST_FIRST, STATUS_CLASSES, Filters
from webhooks.repeating.replaying import Span
from webhooks.triggers import Trigger
from webhooks.trying import testing

LARGEST_PAGE: Final = 100
DEFAULT_RATE: Final = 10  # a second


class Filter(Input):
    """Which deliveries."""

    trigger = OneOf(Trigger, required=False)
    result = OneOf([*Attempt.Result.values, WAITING], required=False)
    status_class = OneOf(STATUS_CLASSES, required=False)
    start_time = serializers.DateTimeField(required=False)
    end_time = serializers.DateTimeField(required=False)
    event_id = Text(required=False)
    replay_id = Text(required=False)


class ReplayRequest(Input):
    """Which events are to be delivered again, and how fast."""

    start_time = serializers.DateTimeField()
    end_time = serializers.DateTimeField(required=False)
    trigger = OneOf(Trigger, required=False)
    only_failed = Flag(required=False, default=False)
    per_second = Whole(required=False, default=DEFAULT_RATE, min_value=1, max_value=FASTEST)
    dry_run = Flag(required=False, default=False)


class TrialRequest(Input):
    """Which sample to send."""

    trigger = OneOf(Trigger)


class OfWebhook(ProjectView):
    """Anything below `/webhooks/{webhook_id}`."""

    def webhook(self, webhook_id: str) -> Webhook:
        """A webhook of this project. Raises NotFound."""
        return found(Webhook.objects.of_project(self.project_id), webhook_id)

    def started(self, replay: Replay) -> Response:
        """The job, with how far it has come."""
        left = replaying.waiting([replay]).get(replay.id, 0)
        return Response(delivery_payloads.replay(replay, waiting=left))


class EnableWebhook(OfWebhook):
    """`/webhooks/{webhook_id}:enable`."""

    def post(self, request: Request, webhook_id: str, **_: Any) -> Response:
        """Call it again after it was switched off."""
        webhook = self.webhook(webhook_id)
        with by_key(request):
            subscribing.enable(webhook)
        return Response(payloads.webhook(webhook))


class SendTestEvent(OfWebhook):
    """`/webhooks/{webhook_id}:test`."""

    def post(self, request: Request, webhook_id: str, **_: Any) -> Response:
        """Send it a sample now, and tell what came back."""
        webhook = self.webhook(webhook_id)
        trigger = TrialRequest.read(request.data)["trigger"]
        with by_key(request):
            return Response(delivery_payloads.trial(testing.send(webhook, trigger, now=clock.now())))


class Deliveries(OfWebhook):
    """`/webhooks/{webhook_id}/deliveries`."""

    def get(self, request: Request, webhook_id: str, **_: Any) -> Response:
        """The newest first; with `result=WAITING` what is to be tried, in turn."""
        webhook = self.webhook(webhook_id)
        asked = Filter.read_query(request.query_params)
        page = Page.of(request, default=LARGEST_PAGE // 2, largest=LARGEST_PAGE)
        if asked.get("result") == WAITING:
            return self._waiting(page, _waiting(webhook, asked))
        rows, token = page.cut(deliveries.latest_attempts(webhook, _filters(asked)), by=NEWEST_FIRST)
        triggers = deliveries.triggers_of(row.event_id for row in rows)
        listed = [delivery_payloads.listed(row, trigger=triggers.get(row.event_id, "")) for row in rows]
        return Response({"deliveries": listed, "next_page_token": token})

    def _waiting(self, page: Page, entries: QuerySet[Entry]) -> Response:
        rows, token = page.cut(entries, by=IN_TURN)
        triggers = deliveries.triggers_of(ids.from_uuid(row.ref) for row in rows)
        listed = [
            delivery_payloads.listed_waiting(row, trigger=triggers.get(ids.from_uuid(row.ref), ""))
            for row in rows
        ]
        return Response({"deliveries": listed, "next_page_token": token})


class OneDelivery(OfWebhook):
    """`/webhooks/{webhook_id}/deliveries/{event_id}`."""

    def get(self, _request: Request, webhook_id: str, event_id: str, **_: Any) -> Response:
        """With the event's body and every try."""
        webhook = self.webhook(webhook_id)
        known = deliveries.delivery(webhook, event_id) if ids.is_ulid(event_id) else None
        if known is None:
            raise NotFound(f"There is no delivery of the event {event_id[:64]!r} to this webhook.")
        return Response(delivery_payloads.delivery(event_id, known))


class ReplayDelivery(OfWebhook):
    """`/webhooks/{webhook_id}/deliveries/{event_id}:replay`."""

    def post(self, _request: Request, webhook_id: str, event_id: str, **_: Any) -> Response:
        """Deliver one of the app's events again, whether this webhook had it or not."""
        webhook = self.webhook(webhook_id)
        event = found(Event.objects.filter(app=webhook.app_id, callback_url=""), event_id)
        return self.started(replaying.again(webhook, event, asked_by=self.principal.key_id, now=clock.now()))


class ReplayDeliveries(OfWebhook):
    """`/webhooks/{webhook_id}/deliveries:replay`."""

    def post(self, request: Request, webhook_id: str, **_: Any) -> Response:
        """Deliver all events of a span again; with `dry_run` only count them."""
        webhook = self.webhook(webhook_id)
        now = clock.now()
        asked = ReplayRequest.read(request.data)
        span = Span(
            start=asked["start_time"],
            end=min(asked.get("end_time", now), now),
            trigger=asked.get("trigger", ""),
            only_failed=asked["only_failed"],
        )
        if asked["dry_run"]:
            return Response({"count": replaying.count(webhook, span)})
        per_second = asked["per_second"]
        return self.started(
            replaying.start(webhook, span, per_second=per_second, asked_by=self.principal.key_id, now=now)
        )


class Replays(OfWebhook):
    """`/webhooks/{webhook_id}/replays`."""

    def get(self, request: Request, webhook_id: str, **_: Any) -> Response:
        """The newest first."""
        webhook = self.webhook(webhook_id)
        page = Page.of(request, largest=LARGEST_PAGE)
        rows, token = page.cut(Replay.objects.filter(webhook=webhook), by=("-asked_at", "-id"))
        left = replaying.waiting(rows)
        listed = [delivery_payloads.replay(row, waiting=left.get(row.id, 0)) for row in rows]
        return Response({"replays": listed, "next_page_token": token})


class OneReplay(OfWebhook):
    """`/webhooks/{webhook_id}/replays/{replay_id}`."""

    def get(self, _request: Request, webhook_id: str, replay_id: str, **_: Any) -> Response:
        """The job, and how far it has come."""
        return self.started(found(Replay.objects.filter(webhook=self.webhook(webhook_id)), replay_id))


class CancelReplay(OfWebhook):
    """`/webhooks/{webhook_id}/replays/{replay_id}:cancel`."""

    def post(self, _request: Request, webhook_id: str, replay_id: str, **_: Any) -> Response:
        """Send no more of it."""
        replay = found(Replay.objects.filter(webhook=self.webhook(webhook_id)), replay_id)
        replaying.cancel(replay, now=clock.now())
        return self.started(replay)


def _filters(asked: Mapping[str, Any]) -> Filters:
    for name in ("event_id", "replay_id"):
        if asked.get(name) and not ids.is_ulid(asked[name]):
            raise ValidationError({name: ["is no id"]})
    return Filters(**asked)


def _waiting(webhook: Webhook, asked: Mapping[str, Any]) -> QuerySet[Entry]:
    if unfit := asked.keys() - {"result"}:
        raise ValidationError({name: ["cannot be asked of what waits"] for name in unfit})
    return deliveries.waiting(webhook)
