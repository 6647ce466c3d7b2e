"""Capability: what can an identity receive? Each channel is asked by way of the outbox, and its answer told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from contacts import resolving
from conversations import payloads
from conversations.models import CapabilityQuery
from conversations.reaching import routing
from conversations.reaching.routing import Choice
from conversations.reaching.sending import Recipient
from gateway import channels
from gateway.channels.abilities import Capability, CapabilityStatus, TellsCapability
from gateway.channels.base import Reason, ReasonCode
from gateway.http import Request, Response
from outbox import entries
from outbox.kinds import Claimed, Decision, Result, Verdict
from projects import clock, ids
from projects.models import App, ChannelCredential, ProcessingMode
from webhooks.publishing import About, publish
from webhooks.triggers import Trigger

TRIES: Final = 3  # then the answer is that it is not known
UNSUPPORTED: Final = Reason(
    ReasonCode.UNSUPPORTED_OPERATION, "The channel does not tell what an identity can receive."
)


@transaction.atomic
def query(*, app: App, recipient: Recipient, request_id: str, now: datetime) -> None:
    """Ask about each of the recipient's identities; CAPABILITY tells of each what its channel answers."""
    contact = recipient.contact
    if contact is None and app.processing_mode == ProcessingMode.CONVERSATION:
        contact = resolving.find(app=app, identities=recipient.identities)
    given = recipient.identities
    for choice in routing.route(app=app, contact=contact, given=given, own_order=()):
        if not choice.identity:
            continue
        asked = CapabilityQuery(
            credential_id=choice.credential_id,
            request_id=request_id,
            contact_id=contact.id if contact else None,
            identity=choice.identity,
            asked_at=now,
        )
        _ask(app, asked, choice, now=now)


class Asking:
    """Questions in the lane of their credential; `ref` is the question."""

    name = "capability"

    def load(self, entries: Sequence[Claimed]) -> Mapping[int, Request]:
        """One request per question."""
        asked = CapabilityQuery.objects.filter(pk__in=[ids.from_uuid(claimed.ref) for claimed in entries])
        by_ref = {ids.to_uuid(query.id): query for query in asked.select_related("credential")}
        return {claimed.id: _request(by_ref[claimed.ref]) for claimed in entries if claimed.ref in by_ref}

    def read(self, claimed: Claimed, request: Request, response: Response) -> Verdict:
        """Ask the adapter; where nobody answered, once more."""
        if response.error and claimed.attempt < TRIES:
            return Verdict(Decision.RETRY, after=2.0**claimed.attempt)
        if response.error:
            return Verdict(Decision.DONE, outcome=_unknown(ReasonCode.CHANNEL_FAILURE, response.detail))
        return Verdict(Decision.DONE, outcome=request.tag.read_capability(response))

    def record(self, results: Sequence[Result]) -> None:
        """Tell each answer; with it the question is gone."""
        now = clock.now()
        finished = {
            ids.from_uuid(result.claimed.ref): result.verdict.outcome
            for result in results
            if result.verdict.decision != Decision.RETRY
        }
        asked = CapabilityQuery.objects.filter(pk__in=finished)
        for query in asked.select_related("credential__app").order_by("id"):
            _tell(query.credential.app, query, query.credential.channel, finished[query.id], now=now)
        asked.delete()


def _ask(app: App, asked: CapabilityQuery, choice: Choice, *, now: datetime) -> None:
    if choice.credential_id is None:
        missing = _unknown(
            ReasonCode.CHANNEL_CONFIGURATION_MISSING, "The app has no credential for this channel."
        )
        _tell(app, asked, choice.channel, missing, now=now)
    elif not isinstance(channels.adapter(choice.channel), TellsCapability):
        unsupported = Capability(CapabilityStatus.CAPABILITY_UNKNOWN, reason=UNSUPPORTED)
        _tell(app, asked, choice.channel, unsupported, now=now)
    else:
        asked.save(force_insert=True)
        entries.put(Asking.name, [(ids.to_uuid(choice.credential_id), ids.to_uuid(asked.id))])


def _request(query: CapabilityQuery) -> Request:
    credential: ChannelCredential = query.credential
    seen = credential.for_adapter()
    adapter: Any = channels.adapter(seen.channel)
    request: Request = adapter.ask_capability(query.identity, seen)
    return replace(request, tag=adapter)


def _tell(app: App, query: CapabilityQuery, channel: str, told: Capability, *, now: datetime) -> None:
    payload = {
        "request_id": query.request_id,
        "contact_id": query.contact_id or "",
        "channel": channel,
        "identity": query.identity,
        "capability_status": told.status,
        "channel_capabilities": list(told.capabilities),
        **({"reason": payloads.reason(told.reason)} if told.reason else {}),
    }
    about = About(accepted_time=query.asked_at, event_time=now)
    publish(app=app, trigger=Trigger.CAPABILITY, payload=payload, about=about)


def _unknown(code: ReasonCode, description: str) -> Capability:
    return Capability(CapabilityStatus.CAPABILITY_UNKNOWN, reason=Reason(code, description))
