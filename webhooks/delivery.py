"""Delivery: how the outbox sends an event to its receiver, and what is kept of each attempt."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from gateway import signing
from gateway.http import Client, Request, Response
from outbox.kinds import Claimed, Decision, Pace, Result, Send, Verdict
from projects import ids
from webhooks import pacing, retrying
from webhooks.authorising import Authoriser
from webhooks.models import Attempt, DeadLetter, Event, Webhook
from webhooks.receivers import USER_AGENT, Find, Receiver

logger = logging.getLogger(__name__)

GONE = 410
GONE_REASON = "HTTP 410: the receiver is gone"
NEVER_SENT = frozenset({"forbidden", "bad_url"})  # another try would end the same way
RESULTS = {
    Decision.DONE: Attempt.Result.DELIVERED,
    Decision.RETRY: Attempt.Result.RETRYING,
    Decision.DEAD: Attempt.Result.GIVEN_UP,
}


class EventDelivery:
    """A kind of the outbox whose refs are events; `receivers` finds who gets them, `paces` how fast."""

    def __init__(self, name: str, *, receivers: Find, paces: pacing.Find) -> None:
        self.name = name
        self._receivers = receivers
        self._paces = paces

    def paces(self, owners: Sequence[UUID]) -> Mapping[UUID, Pace]:
        """Their app's `rate_limits.webhooks`."""
        return self._paces(owners)

    def load(self, entries: Sequence[Claimed]) -> Mapping[int, Request]:
        """Signed requests, for the events and receivers that are still there, in two queries."""
        events = (
            Event.objects.only("app", "body", "callback_url")
            .annotate(signed_at=Now())
            .in_bulk({ids.from_uuid(entry.ref) for entry in entries})
        )
        deliveries = [(entry, event) for entry in entries if (event := events.get(ids.from_uuid(entry.ref)))]
        receivers = self._receivers(deliveries)
        return {
            entry.id: _request(receivers[entry.id], event)
            for entry, event in deliveries
            if entry.id in receivers
        }

    def sender(self, client: Client) -> Send:
        """With the tokens that receivers ask for."""
        return Authoriser(client).send

    def read(self, claimed: Claimed, request: Request, response: Response) -> Verdict:
        """Taken, to be tried again, or given up; then the outcome is the reason."""
        if 200 <= response.status < 300:
            return Verdict(Decision.DONE)
        if response.status == GONE:
            return Verdict(Decision.DEAD, outcome=GONE_REASON)
        if response.error in NEVER_SENT:
            return Verdict(Decision.DEAD, outcome=_failure(response))
        pause = retrying.asked_for(response, at=claimed.due_at)
        after = max(retrying.wait(claimed.attempt), pause)
        if retrying.is_too_late(claimed, after=after):
            return Verdict(Decision.DEAD, pause=pause, outcome=_failure(response))
        return Verdict(Decision.RETRY, after=after, pause=pause)

    def record(self, results: Sequence[Result]) -> None:
        """Log every attempt, bury what is given up, and switch off who is gone: at most four queries."""
        events = Event.objects.defer("body").in_bulk(
            {ids.from_uuid(result.claimed.ref) for result in results}
        )
        # Of an event that was purged meanwhile nothing may be kept.
        kept = [
            (result, event) for result in results if (event := events.get(ids.from_uuid(result.claimed.ref)))
        ]
        Attempt.objects.bulk_create(_attempt(result, event) for result, event in kept)
        DeadLetter.objects.bulk_create(
            (
                _dead_letter(result, event)
                for result, event in kept
                if result.verdict.decision is Decision.DEAD
            ),
            update_conflicts=True,  # sent again by hand, it may die again
            unique_fields=["webhook", "event_id"],
            update_fields=["reason", "attempts", "died_at"],
        )
        _disable([result for result in results if result.response.status == GONE])
        for result, event in kept:
            _log(result, event)


def _request(receiver: Receiver, event: Event) -> Request:
    body = bytes(event.body)
    signed_at: datetime = event.signed_at  # type: ignore[attr-defined]  # annotated by `load`
    return Request(
        "POST",
        receiver.url,
        headers={
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            **_signature(receiver, body, signed_at),
        },
        body=body,
        timeout=settings.WEBHOOK_TIMEOUT,
        tag=receiver,
    )


def _signature(receiver: Receiver, body: bytes, signed_at: datetime) -> dict[str, str]:
    """The headers that prove who sends it; none when the receiver shares no secret."""
    if not receiver.secret:
        return {}
    nonce = secrets.token_urlsafe(16)
    return signing.headers(body, receiver.secret, nonce=nonce, timestamp=int(signed_at.timestamp()))


def _attempt(result: Result, event: Event) -> Attempt:
    claimed, response, verdict = result.claimed, result.response, result.verdict
    receiver: Receiver = result.request.tag
    comes_back = verdict.decision is Decision.RETRY
    return Attempt(
        app_id=event.app_id,
        message_id=event.message_id,
        accept_time=event.accept_time,
        event_id=event.id,
        webhook_id=receiver.webhook_id,
        callback_url=receiver.callback_url,
        number=claimed.attempt,
        result=RESULTS[verdict.decision],
        status_code=response.status or None,
        error=response.error,
        detail=response.detail[:500],
        started_at=result.started_at,
        duration_ms=round(response.timings.total * 1000),
        next_at=_ended_at(result) + timedelta(seconds=verdict.after) if comes_back else None,
        response_body=response.body,
    )


def _dead_letter(result: Result, event: Event) -> DeadLetter:
    receiver: Receiver = result.request.tag
    return DeadLetter(
        app_id=event.app_id,
        message_id=event.message_id,
        accept_time=event.accept_time,
        event_id=event.id,
        webhook_id=receiver.webhook_id,
        callback_url=receiver.callback_url,
        reason=result.verdict.outcome[:255],
        attempts=result.claimed.attempt,
        died_at=_ended_at(result),
    )


def _disable(results: Sequence[Result]) -> None:
    """Switch off the webhooks that are gone; no query when there are none."""
    gone = {webhook_id for result in results if (webhook_id := result.request.tag.webhook_id)}
    if not gone:
        return
    Webhook.objects.filter(pk__in=gone, disabled_at=None).update(
        disabled_at=Now(), disabled_reason=GONE_REASON
    )


def _log(result: Result, event: Event) -> None:
    """One line that a machine can take apart: no body, no secret, no URL."""
    response = result.response
    logger.info(
        "attempt event=%s webhook=%s app=%s trigger=%s number=%d"
        " result=%s status=%d error=%s ms=%d after=%.1f",
        event.id,
        result.request.tag.webhook_id or "-",  # a callback_url
        event.app_id,
        event.trigger,
        result.claimed.attempt,
        RESULTS[result.verdict.decision],
        response.status,
        response.error or "-",
        round(response.timings.total * 1000),
        result.verdict.after,
    )


def _ended_at(result: Result) -> datetime:
    return result.started_at + timedelta(seconds=result.response.timings.total)


def _failure(response: Response) -> str:
    if response.status:
        return f"HTTP {response.status}"
    return f"{response.error}: {response.detail}" if response.detail else response.error
