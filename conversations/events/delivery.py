"""The outbox's user that carries events to their channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from conversations.events import settling
from conversations.hearing import receiving
from conversations.models import ConversationEvent, Status
from conversations.reaching import delivery
from gateway import channels
from gateway.channels.abilities import CarriesEvents, OutboundEvent
from gateway.channels.base import Decision, Outcome, Reason, ReasonCode
from gateway.http import Request, Response
from outbox.kinds import Claimed, Result, Verdict
from outbox.kinds import Decision as Fate
from projects import clock, ids
from projects.models import ChannelCredential, CredentialStatus

# Known without asking anybody.
REMOVED = Reason(ReasonCode.CHANNEL_CONFIGURATION_MISSING, "The app no longer has this credential.")
UNSUPPORTED = Reason(ReasonCode.UNSUPPORTED_OPERATION, "The channel does not carry events of this kind.")


class EventSending:
    """Events in the lane of their credential; `ref` is the event."""

    name = settling.SENDING

    def load(self, entries: Sequence[Claimed]) -> Mapping[int, Request]:
        """One request per event that still waits."""
        credentials = delivery.credentials_of(entries)
        waiting = ConversationEvent.objects.filter(
            pk__in=[ids.from_uuid(claimed.ref) for claimed in entries], status=Status.ACCEPTED
        )
        events = {ids.to_uuid(event.id): event for event in waiting.select_related("app")}
        return {
            claimed.id: _request(
                events[claimed.ref], credentials.get(ids.from_uuid(claimed.owner)), claimed.attempt
            )
            for claimed in entries
            if claimed.ref in events
        }

    def read(self, claimed: Claimed, request: Request, response: Response) -> Verdict:
        """Ask the adapter; a retry that would come too late is a failure."""
        if isinstance(request.tag, Reason):
            return Verdict(Fate.DONE, outcome=Outcome(Decision.PERMANENT, reason=request.tag))
        channel, give_up_at = request.tag
        outcome = channels.adapter(channel).read(response)
        return delivery.verdict(outcome, claimed=claimed, give_up_at=give_up_at)

    def record(self, results: Sequence[Result]) -> None:
        """Settle each event by its outcome."""
        now = clock.now()
        finished = {
            ids.from_uuid(result.claimed.ref): result.verdict.outcome
            for result in results
            if result.verdict.decision != Fate.RETRY
        }
        held = ConversationEvent.objects.filter(pk__in=finished, status=Status.ACCEPTED)
        for event in (
            held.select_related("app", "conversation").select_for_update(of=("self",)).order_by("id")
        ):
            _settle(event, finished[event.id], now=now)


def _request(event: ConversationEvent, credential: ChannelCredential | None, attempt: int) -> Request:
    if credential is None:
        return _unsent(REMOVED)
    seen = credential.for_adapter()
    adapter = channels.adapter(seen.channel)
    if not isinstance(adapter, CarriesEvents):
        return _unsent(UNSUPPORTED)
    outbound = OutboundEvent(event.id, event.identity, event.content["app_event"])
    request = adapter.build_event(outbound, seen, attempt)
    if request is None:
        return _unsent(UNSUPPORTED)
    give_up_at = event.accept_time + timedelta(seconds=event.app.retry_duration)
    return replace(request, tag=(seen.channel, give_up_at))


def _unsent(why: Reason) -> Request:
    return Request("POST", "unsent:", answer=Response(0, error="unsent"), tag=why)


def _settle(event: ConversationEvent, outcome: Outcome, *, now: datetime) -> None:
    reason = outcome.reason or Reason(ReasonCode.UNKNOWN)
    match outcome.decision:
        case Decision.ACCEPTED | Decision.UNKNOWN:
            event.channel_event_id = outcome.channel_message_id
            event.save(update_fields=["channel_event_id"])
            settling.settle(event, Status.QUEUED_ON_CHANNEL, now=now)
            delivery.keep_echoes(event, outcome)
            return
        case Decision.OPTED_OUT:
            receiving.opt_out(event.app, event.channel, event.identity, now=now)
        case Decision.CREDENTIAL:
            failing = ChannelCredential.objects.filter(pk=event.credential_id)
            failing.update(status=CredentialStatus.FAILING, status_description=reason.description[:500])
    settling.settle(event, Status.FAILED, reason=reason, now=now)
