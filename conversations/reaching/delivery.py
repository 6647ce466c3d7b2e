"""The outbox's two users in this room: messages on their way to a channel, and the sandbox's echoes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from conversations.composing import templates, templating
from conversations.composing.templating import Known
from conversations.hearing import receiving
from conversations.models import UNSETTLED, Candidate, ConversationEvent, Message, PendingEcho, Status
from conversations.reaching import statuses
from gateway import channels
from gateway.channels.base import Channel, Decision, Outbound, Outcome, Reason, ReasonCode, Receipts
from gateway.http import Request, Response
from outbox import entries
from outbox.kinds import Claimed, Pace, Result, Verdict
from outbox.kinds import Decision as Fate
from projects import clock, ids
from projects.models import ChannelCredential, CredentialStatus

logger = logging.getLogger(__name__)

_SLOWEST_RETRY = 300.0  # seconds


def _unsent(reason: Reason) -> Request:
    """The channel's turn is over before anybody was asked."""
    refusal = Outcome(Decision.NEXT, reason=reason)
    return Request("POST", "unsent:", answer=Response(0, error="unsent"), tag=(refusal, None))


# It was taken from the app while the message waited.
REMOVED = _unsent(Reason(ReasonCode.CHANNEL_CONFIGURATION_MISSING, "The app no longer has this credential."))


class Sending:
    """Messages in the lane of their credential; `ref` is the message."""

    name = statuses.SENDING

    def paces(self, owners: Sequence[UUID]) -> Mapping[UUID, Pace]:
        """Their app's `rate_limits.outbound`, which all its channels share."""
        rows = ChannelCredential.objects.filter(pk__in=[ids.from_uuid(owner) for owner in owners])
        limits = rows.values_list("pk", "app_id", "app__outbound_rate")
        return {ids.to_uuid(pk): Pace(f"messages of {app_id}", rate) for pk, app_id, rate in limits if rate}

    def load(self, entries: Sequence[Claimed]) -> Mapping[int, Request]:
        """One request per message that still waits for this very channel."""
        credentials = credentials_of(entries)
        messages = {
            ids.to_uuid(message.id): message
            for message in Message.objects.filter(
                pk__in=[ids.from_uuid(claimed.ref) for claimed in entries], status__in=UNSETTLED
            ).select_related("app")
        }
        known = templates.of_messages(messages.values())
        requests: dict[int, Request] = {}
        for claimed in entries:
            message = messages.get(claimed.ref)
            credential = credentials.get(ids.from_uuid(claimed.owner))
            if message is None or message.credential_id != ids.from_uuid(claimed.owner):
                continue  # settled, switched or deleted meanwhile
            if message.expires_at and message.expires_at <= claimed.due_at:
                continue  # `statuses.time_out` fails it
            template = known.get(message.id)
            requests[claimed.id] = (
                _request(message, template, credential, claimed.attempt) if credential else REMOVED
            )
        return requests

    def read(self, claimed: Claimed, request: Request, response: Response) -> Verdict:
        """Ask the adapter; a retry that would come too late becomes the next channel's turn."""
        teller, give_up_at = request.tag
        return verdict(outcome(teller, response), claimed=claimed, give_up_at=give_up_at)

    def record(self, results: Sequence[Result]) -> None:
        """Settle each message by its outcome."""
        now = clock.now()
        finished = {result.claimed.ref: result for result in results if result.verdict.decision != Fate.RETRY}
        for message in _held(finished):
            result = finished[ids.to_uuid(message.id)]
            if message.credential_id == ids.from_uuid(result.claimed.owner):  # else it has switched meanwhile
                _settle(message, result.verdict.outcome, now=now)
        _mark_working(results)


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


def verdict(outcome: Outcome, *, claimed: Claimed, give_up_at: datetime) -> Verdict:
    """What the outbox does about an outcome: a retry that would come after `give_up_at` is none."""
    if outcome.decision != Decision.RETRY:
        return Verdict(Fate.DONE, outcome=outcome)
    after = outcome.after if outcome.after is not None else min(2.0**claimed.attempt, _SLOWEST_RETRY)
    if claimed.due_at + timedelta(seconds=after) > give_up_at:
        return Verdict(Fate.DEAD, outcome=replace(outcome, decision=Decision.NEXT))
    return Verdict(Fate.RETRY, after=after, outcome=outcome)


def credentials_of(claimed: Iterable[Claimed]) -> dict[str, ChannelCredential]:
    """The owners of their lanes that are still there, by id."""
    owners = {ids.from_uuid(one.owner) for one in claimed}
    return {row.id: row for row in ChannelCredential.objects.filter(pk__in=owners)}


def _request(
    message: Message, template: Known | None, credential: ChannelCredential, attempt: int
) -> Request:
    seen = credential.for_adapter()
    try:
        content = templating.filled(message.content, seen.channel, template)
    except templating.Unfilled as problem:
        return _unsent(problem.reason)
    outbound = Outbound(
        message.id,
        message.identity,
        content,
        message.channel_properties,
        accept_time=message.accept_time,
        expires_at=message.expires_at,
    )
    try:
        adapter = channels.adapter(seen.channel)
        request = adapter.build(outbound, seen, attempt)
    except channels.NoAdapter as problem:  # the sandbox stood in for it when the message was routed
        return _unsent(Reason(ReasonCode.CHANNEL_CONFIGURATION_MISSING, str(problem)))
    except Exception:
        # An adapter's mistake costs its own message the channel, and not the lane its other messages.
        logger.exception("%s could not make a request of message %s", seen.channel, message.id)
        return _unsent(
            Reason(ReasonCode.INTERNAL_ERROR, "The message could not be put in the channel's form.")
        )
    window = message.accept_time + timedelta(seconds=message.app.retry_duration)
    give_up_at = min(window, message.expires_at) if message.expires_at else window
    return replace(request, is_repeatable=adapter.is_repeatable, tag=(seen.channel, give_up_at))


def outcome(teller: Channel | Outcome, response: Response) -> Outcome:
    """What the channel says; the outcome itself where it was known before anybody was asked."""
    return teller if isinstance(teller, Outcome) else channels.adapter(teller).read(response)


def _mark_working(results: Sequence[Result]) -> None:
    """A credential with which a message was taken works, whatever was thought of it."""
    taken = [result for result in results if result.verdict.outcome.decision == Decision.ACCEPTED]
    used = ChannelCredential.objects.filter(pk__in={ids.from_uuid(result.claimed.owner) for result in taken})
    used.exclude(status=CredentialStatus.ACTIVE).update(status=CredentialStatus.ACTIVE, status_description="")


def _held(refs: Iterable[Any]) -> list[Message]:
    held = Message.objects.filter(pk__in=[ids.from_uuid(ref) for ref in refs], status__in=UNSETTLED)
    return list(held.select_related("app", "conversation").select_for_update(of=("self",)).order_by("id"))


def _settle(message: Message, outcome: Outcome, *, now: datetime) -> None:
    candidate = Candidate.objects.get(message_id=message.id, verdict=Candidate.Verdict.TRYING)
    candidate.channel_message_id = outcome.channel_message_id
    match outcome.decision:
        case Decision.ACCEPTED:
            statuses.conclude(candidate, Candidate.Verdict.TAKEN, reason=outcome.reason, now=now)
            statuses.settle(message, Status.QUEUED_ON_CHANNEL, now=now)
            _await_receipt(message, candidate, now=now)
            keep_echoes(message, outcome)
        case Decision.UNKNOWN:
            statuses.conclude(candidate, Candidate.Verdict.TRYING, reason=outcome.reason, now=now)
        case decision:
            reason = outcome.reason or Reason(ReasonCode.UNKNOWN)
            receiving.refuse(message, candidate, decision=decision, reason=reason, now=now)


def _await_receipt(message: Message, candidate: Candidate, *, now: datetime) -> None:
    """A channel that never reports has done its part: nothing is waited for, so nothing times out."""
    if channels.adapter(Channel(candidate.channel)).capabilities.receipts != Receipts.NONE:
        statuses.await_report(message, now=now)
        return
    message.expires_at = None
    message.save(update_fields=["expires_at"])


def keep_echoes(message: Message | ConversationEvent, outcome: Outcome) -> None:
    """Have the sandbox call back what it said it would."""
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
