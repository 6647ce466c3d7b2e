"""Delivery: how the outbox sends an event to its receiver, and what is kept of each attempt."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypedDict
from uuid import UUID

from django.conf import settings

from gateway.http import Client, Request, Response
from outbox import statements
from outbox.kinds import Breaker, Claimed, Decision, Pace, Result, Send, Verdict
from projects import ids
from webhooks.delivering import logbook, pacing, retrying
from webhooks.delivering.authorising import Authoriser
from webhooks.delivering.masking import masked
from webhooks.delivering.receivers import USER_AGENT, Find, Receiver, Told
from webhooks.models import Attempt, DeadLetter, Event
from webhooks.tending import watching

logger = logging.getLogger(__name__)

OVER = "the receiver failed until the time for it was over"
KEPT_HEADERS = 2048  # bytes of an answer's headers
STEPS = ("dns", "connect", "tls", "first_byte", "total")  # of an exchange, as the log has them

TOLD = """
    SELECT id, app_id, body, callback_url, extract(epoch FROM now())::bigint
    FROM webhooks_event WHERE id = ANY(%(events)s::uuid[])
"""

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
        """Signed requests, for the events and receivers that are still there.

        In two queries, and a third where a receiver is not known as it stands now.
        """
        rows = statements.run_for_bytes(TOLD, {"events": statements.uuids(entry.ref for entry in entries)})
        events = {id_: Told(ids.from_uuid(id_), _public_id(app), *rest) for id_, app, *rest in rows}
        deliveries = [(entry, event) for entry in entries if (event := events.get(entry.ref))]
        receivers = self._receivers(deliveries)
        return {
            entry.id: _unless_known(request(receiver, event), entry, event)
            for entry, event in deliveries
            if (receiver := receivers.get(entry.id))
        }

    def breaker(self) -> Breaker:
        """As the schedule has its first waits."""
        return retrying.breaker()

    def sender(self, client: Client) -> Send:
        """With the tokens that receivers ask for."""
        return Authoriser(client).send

    def carries(self, request: Request) -> bool:
        """Only what goes to receivers that ask for one."""
        receiver: Receiver = request.tag
        return receiver.credentials is not None

    def read(self, claimed: Claimed, request: Request, response: Response) -> Verdict:
        """Taken, to be tried again, or given up; then the outcome is the reason."""
        receiver: Receiver = request.tag
        return retrying.judge(claimed, response, is_4xx_final=receiver.is_4xx_final)

    def record(self, results: Sequence[Result]) -> None:
        """Log every attempt, bury what is given up, and watch how the webhooks are doing.

        At most four queries, but for a webhook that is switched off.
        """
        sent = [result for result in results if result.response.error != retrying.DISABLED]
        written = logbook.write([_line(place, result) for place, result in enumerate(sent)])
        _bury([result for result in results if result.verdict.decision is Decision.DEAD])
        watching.observe([result for result in sent if result.response.error not in retrying.UNASKED])
        if logger.isEnabledFor(logging.INFO):
            for line in written:
                _log(sent[line.place], line)


def request(receiver: Receiver, event: Told) -> Request:
    """What is sent, signed for the event's `signed_at`."""
    headers = receiver.keyring.headers(event.body, event_id=event.id, signed_at=event.signed_at)
    return Request(
        "POST",
        receiver.url,
        headers={"Content-Type": "application/json", "User-Agent": USER_AGENT, **headers},
        body=event.body,
        timeout=settings.WEBHOOK_TIMEOUT,
        tag=receiver,
    )


def _unless_known(request: Request, claimed: Claimed, event: Told) -> Request:
    """With the answer where nothing is sent: the receiver is switched off, or fails and the event's time is over."""
    receiver: Receiver = request.tag
    if receiver.disabled_reason:
        return replace(request, answer=Response(0, error=retrying.DISABLED, detail=receiver.disabled_reason))
    if claimed.is_probe and retrying.is_over(claimed, at=datetime.fromtimestamp(event.signed_at, UTC)):
        return replace(request, answer=Response(0, error=retrying.EXPIRED, detail=OVER))
    return request


def _line(place: int, result: Result) -> logbook.Line:
    claimed, response, verdict = result.claimed, result.response, result.verdict
    receiver: Receiver = result.request.tag
    comes_back = verdict.decision is Decision.RETRY
    told = answer(masked(response, receiver.secrets))
    return logbook.Line(
        place=place,
        event_id=claimed.ref,
        webhook_id=_uuid(receiver.webhook_id),
        callback_url=receiver.callback_url,
        replay_id=_uuid(receiver.replay_id),
        number=claimed.attempt,
        result=RESULTS[verdict.decision],
        status_code=response.status or None,
        error=response.error,
        detail=response.detail[:500],
        started_at=result.started_at,
        duration_ms=told["duration_ms"],
        phases_ms=told["phases_ms"],
        next_at=_ended_at(result) + timedelta(seconds=verdict.after) if comes_back else None,
        response_headers=told["response_headers"].hex(),
        response_body=told["response_body"].hex(),
        signed_with=receiver.keyring.numbers,
    )


class Answer(TypedDict):
    """What an attempt keeps of an answer."""

    duration_ms: int
    phases_ms: list[int]
    response_headers: bytes
    response_body: bytes


def answer(shown: Response) -> Answer:
    """The masked answer, as attempts keep it."""
    timings = shown.timings
    phases = (timings.dns, timings.connect, timings.tls, timings.first_byte)
    return Answer(
        duration_ms=round(timings.total * 1000),
        phases_ms=[round(moment * 1000) for moment in phases],
        response_headers=_header_lines(shown),
        response_body=shown.body,
    )


def _header_lines(response: Response) -> bytes:
    lines = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
    return lines[:KEPT_HEADERS].encode("latin-1", errors="replace")


@lru_cache(maxsize=4096)  # the same few webhooks all day
def _uuid(public_id: str | None) -> UUID | None:
    return ids.to_uuid(public_id) if public_id else None


_public_id = lru_cache(maxsize=4096)(ids.from_uuid)  # the same few apps


def _bury(dead: Sequence[Result]) -> None:
    """Keep them as dead letters, as far as their events are still there; no query when there are none."""
    if not dead:
        return
    events = Event.objects.defer("body").in_bulk({ids.from_uuid(result.claimed.ref) for result in dead})
    known = [(result, events.get(ids.from_uuid(result.claimed.ref))) for result in dead]
    DeadLetter.objects.bulk_create(
        (_dead_letter(result, event) for result, event in known if event),
        update_conflicts=True,  # sent again by hand, it may die again
        unique_fields=["webhook", "event_id"],
        update_fields=["reason", "attempts", "died_at"],
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


def _log(result: Result, line: logbook.Written) -> None:
    """One line that a machine can take apart: no body, no secret, no URL."""
    receiver: Receiver = result.request.tag
    response, verdict, timings = result.response, result.verdict, result.response.timings
    facts = {
        "event": ids.from_uuid(result.claimed.ref),
        "webhook": receiver.webhook_id,  # None: a callback_url
        "replay": receiver.replay_id,
        "app": ids.from_uuid(line.app_id),
        "trigger": line.trigger,
        "attempt": result.claimed.attempt,
        "result": RESULTS[verdict.decision].value,
        "status": response.status or None,
        "error": response.error,
        "signed_with": receiver.keyring.numbers,
        "peer": response.peer,
        "ms": {step: round(getattr(timings, step) * 1000) for step in STEPS},
        "next_in": round(verdict.after, 1) if verdict.decision is Decision.RETRY else None,
    }
    logger.info(
        "attempt %(attempt)d of event %(event)s for webhook %(webhook)s: %(result)s",
        facts,
        extra={"facts": facts},
    )


def _ended_at(result: Result) -> datetime:
    return result.started_at + timedelta(seconds=result.response.timings.total)
