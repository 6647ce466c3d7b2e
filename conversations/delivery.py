"""The outbox's two users in this room: messages on their way to a channel, and the sandbox's echoes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from conversations import receiving, statuses
from conversations.models import UNSETTLED, Candidate, Message, PendingEcho, Status
from gateway import channels
from gateway.channels.base import Decision, Outbound, Outcome, Reason, ReasonCode
from gateway.http import Request, Response
from outbox import entries
from outbox.kinds import Claimed, Result, Verdict
from outbox.kinds import Decision as Fate
from projects import clock, ids
from projects.models import ChannelCredential

logger = logging.getLogger(__name__)

_SLOWEST_RETRY = 300.0  # seconds
# Its credential was taken from the app while the message waited: known without asking anybody.
REMOVED = Request("POST", "removed:", answer=Response(0, error="removed"), tag=(None, None))


class Sending:
    """Messages in the lane of their credential; `ref` is the message."""

    name = statuses.SENDING

    def load(self, entries: Sequence[Claimed]) -> Mapping[int, Request]:
        """One request per message that still waits for this very channel."""
        credentials = _credentials(entries)
        messages = {
            ids.to_uuid(message.id): message
            for message in Message.objects.filter(
                pk__in=[ids.from_uuid(claimed.ref) for claimed in entries], status__in=UNSETTLED
            ).select_related("app")
        }
        requests: dict[int, Request] = {}
        for claimed in entries:
            message = messages.get(claimed.ref)
            credential = credentials.get(ids.from_uuid(claimed.owner))
            if message is None or message.credential_id != ids.from_uuid(claimed.owner):
                continue  # settled, switched or deleted meanwhile
            if message.expires_at and message.expires_at <= claimed.due_at:
                continue  # `statuses.time_out` fails it
            requests[claimed.id] = _request(message, credential, claimed.attempt) if credential else REMOVED
        return requests

    def read(self, claimed: Claimed, request: Request, response: Response) -> Verdict:
        """Ask the adapter; a retry that would come too late becomes the next channel's turn."""
        channel, give_up_at = request.tag
        outcome = _outcome(channel, response)
        if outcome.decision != Decision.RETRY:
            return Verdict(Fate.DONE, outcome=outcome)
        after = outcome.after if outcome.after is not None else min(2.0**claimed.attempt, _SLOWEST_RETRY)
        if claimed.due_at + timedelta(seconds=after) > give_up_at:
            return Verdict(Fate.DEAD, outcome=replace(outcome, decision=Decision.NEXT))
        return Verdict(Fate.RETRY, after=after, outcome=outcome)

    def record(self, results: Sequence[Result]) -> None:
        """Settle each message by its outcome."""
        now = clock.now()
        finished = {result.claimed.ref: result for result in results if result.verdict.decision != Fate.RETRY}
        for message in _held(finished):
            result = finished[ids.to_uuid(message.id)]
            if message.credential_id == ids.from_uuid(result.claimed.owner):  # else it has switched meanwhile
                _settle(message, result.verdict.outcome, now=now)


class Echoing:
    """What the sandbox calls back by itself, through the same door as a provider's callback."""

    name = "echo"

    def load(self, entries: Sequence[Claimed]) -> Mapping[int, Request]:
        """Nothing to ask the network: the body is here."""
        return {claimed.id: Request("POST", "sandbox:echo", answer=Response(200)) for claimed in entries}

    def read(self, claimed: Claimed, request: Request, response: Response) -> Verdict:
        """There is only one answer."""
        return Verdict(Fate.DONE)

    def record(self, results: Sequence[Result]) -> None:
        """Play each to the callback flow, in the order in which they are due."""
        now = clock.now()
        due = {result.claimed.ref: result.claimed.due_at for result in results}
        echoes = PendingEcho.objects.filter(pk__in=due).select_related("credential__app")
        for echo in sorted(echoes, key=lambda echo: due[echo.pk]):
            try:
                receiving.receive_callback(
                    echo.credential, headers=echo.headers, body=bytes(echo.body), url="sandbox:echo", now=now
                )
            except receiving.Refused as refusal:  # its secret was changed after the echo was signed
                logger.warning("echo of %s refused: %s", echo.message_id, refusal)
        echoes.delete()


def _credentials(claimed: Iterable[Claimed]) -> dict[str, ChannelCredential]:
    owners = {ids.from_uuid(one.owner) for one in claimed}
    return {row.id: row for row in ChannelCredential.objects.filter(pk__in=owners)}


def _request(message: Message, credential: ChannelCredential, attempt: int) -> Request:
    outbound = Outbound(message.id, message.identity, message.content, message.channel_properties)
    seen = credential.for_adapter()
    request = channels.adapter(seen.channel).build(outbound, seen, attempt)
    window = message.accept_time + timedelta(seconds=message.app.retry_duration)
    give_up_at = min(window, message.expires_at) if message.expires_at else window
    return replace(request, tag=(seen.channel, give_up_at))


def _outcome(channel: Any, response: Response) -> Outcome:
    match response.error:
        case "":
            return channels.adapter(channel).read(response)
        case "removed":
            reason = Reason(
                ReasonCode.CHANNEL_CONFIGURATION_MISSING, "The app no longer has this credential."
            )
            return Outcome(Decision.NEXT, reason=reason)
        case "forbidden" | "bad_url":
            reason = Reason(ReasonCode.CHANNEL_BAD_CONFIGURATION, response.detail)
            return Outcome(Decision.CREDENTIAL, reason=reason)
    return Outcome(
        Decision.RETRY, reason=Reason(ReasonCode.CHANNEL_FAILURE, response.detail or response.error)
    )


def _held(refs: Iterable[Any]) -> list[Message]:
    held = Message.objects.filter(pk__in=[ids.from_uuid(ref) for ref in refs], status__in=UNSETTLED)
    return list(held.select_related("app", "conversation").select_for_update(of=("self",)).order_by("id"))


def _settle(message: Message, outcome: Outcome, *, now: datetime) -> None:
    reason = outcome.reason or Reason(ReasonCode.UNKNOWN)
    candidate = Candidate.objects.get(message_id=message.id, verdict=Candidate.Verdict.TRYING)
    taken = outcome.decision == Decision.ACCEPTED
    candidate.channel_message_id = outcome.channel_message_id
    statuses.conclude(
        candidate,
        Candidate.Verdict.TAKEN if taken else Candidate.Verdict.REFUSED,
        reason=outcome.reason,
        now=now,
    )
    match outcome.decision:
        case Decision.ACCEPTED:
            statuses.settle(message, Status.QUEUED_ON_CHANNEL, now=now)
            _keep_echoes(message, outcome)
        case Decision.PERMANENT:
            statuses.settle(message, Status.FAILED, reason=reason, now=now)
        case Decision.OPTED_OUT:
            receiving.opt_out(message.app, candidate.channel, candidate.identity, now=now)
            statuses.try_next(message, reason=reason, now=now)
        case Decision.CREDENTIAL:
            _mark_failing(candidate, reason)
            statuses.try_next(message, reason=reason, now=now)
        case _:
            statuses.try_next(message, reason=reason, now=now)


def _keep_echoes(message: Message, outcome: Outcome) -> None:
    for echo in outcome.echoes:
        kept = PendingEcho.objects.create(
            id=ids.to_uuid(ids.ulid()),
            app_id=message.app_id,
            message_id=message.id,
            accept_time=message.accept_time,
            credential_id=message.credential_id,
            headers=dict(echo.headers),
            body=echo.body,
        )
        owner = ids.to_uuid(message.credential_id or "")
        entries.put(Echoing.name, [(owner, kept.id)], delay=echo.delay)


def _mark_failing(candidate: Candidate, reason: Reason) -> None:
    ChannelCredential.objects.filter(pk=candidate.credential_id).update(
        status="FAILING", status_description=reason.description[:500]
    )
