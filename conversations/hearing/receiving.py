"""A channel calls back: a contact wrote, or a receipt came in.

Refused
├── NotTheirs      the signature is not the channel's: answer 401, keep nothing
└── NotACallback   this is no callback of that channel: answer 400, keep nothing
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import DataError, IntegrityError, transaction

from contacts import consents, keywords, resolving
from contacts.models import ConsentRecord, Contact
from contacts.resolving import Identity
from conversations import conversing, payloads
from conversations.composing import templates, templating
from conversations.events import receiving as taking
from conversations.hearing import noticing
from conversations.models import Candidate, Direction, Message, Status
from conversations.reaching import recalling, statuses
from gateway import channels
from gateway.channels import transcoding
from gateway.channels.base import (
    PHONE_CHANNELS,
    Channel,
    ChannelEvent,
    Decision,
    Event,
    Inbound,
    InboundEvent,
    OptOut,
    Reason,
    ReasonCode,
    Receipt,
    ReceiptStatus,
    Unsupported,
)
from gateway.channels.transcoding import Choice
from projects import ids
from projects.models import App, ChannelCredential, CredentialStatus, ProcessingMode
from webhooks.publishing import publish
from webhooks.triggers import Trigger

logger = logging.getLogger(__name__)

RETRY_AFTER_RECEIPT = timedelta(seconds=30)  # a channel that took the message and lost it needs a moment


class Refused(Exception):
    """Nothing of this callback was kept."""


class NotTheirs(Refused):
    """Unsigned or altered."""


class NotACallback(Refused):
    """Not in the channel's language."""


def receive_callback(
    credential: ChannelCredential, *, headers: Mapping[str, str], body: bytes, url: str, now: datetime
) -> None:
    """Take in what the channel says, once however often it says it.

    Raises NotTheirs or NotACallback, or NoAdapter for a channel that nothing here speaks to.
    """
    adapter = channels.adapter(Channel(credential.channel))
    if not adapter.verify(headers, body, url, credential.callback_secret):
        raise NotTheirs("The callback's signature is missing or wrong.")
    try:
        events = adapter.parse(body)
    except ValueError as error:
        raise NotACallback(str(error)) from error
    try:
        receive(credential, events, now=now)
    except DataError as error:
        raise NotACallback("It holds what no database keeps: a NUL character, or an id too long.") from error


@transaction.atomic
def receive(credential: ChannelCredential, events: Sequence[Event], *, now: datetime) -> None:
    """Take in parsed events, in their order. Raises NotACallback."""
    for event in events:
        match event:
            case InboundEvent():
                identity = Identity(Channel(credential.channel), _normal(credential, event.identity))
                taking.take(credential, event, identity=identity, now=now)
            case ChannelEvent():
                noticing.channel_event(credential, event, now=now)
            case Unsupported():
                noticing.unsupported(credential, event, now=now)
            case Inbound():
                _take_message(credential, event, now=now)
            case Receipt():
                _take_receipt(credential, event, now=now)
            case OptOut():
                opt_out(credential.app, credential.channel, _normal(credential, event.identity), now=now)


def opt_out(app: App, channel: str, identity: str, *, now: datetime) -> None:
    """The person behind this identity wants no more messages from the app."""
    contact = resolving.find(app=app, identities=[Identity(Channel(channel), identity)])
    consents.opt_out(
        app=app,
        channel=Channel(channel),
        identity=identity,
        contact_id=contact.id if contact else "",
        origin=ConsentRecord.Origin.ORIGIN_MO,
        now=now,
    )


def _content(app: App, event: Inbound) -> Mapping[str, Any]:
    """What the contact said; what was chosen, where the channel could bring only its place."""
    if event.choice is None:
        return event.content
    response = event.content["choice_response_message"]
    answered = Message.objects.filter(app=app, pk=response["message_id"], direction=Direction.TO_CONTACT)
    message = answered.first()
    choices = _choices(message) if message else []
    if event.choice >= len(choices):
        return transcoding.fallback_message(response, "The message that was answered is gone.")
    postback_data = choices[event.choice].postback_data
    return {"choice_response_message": {**response, "postback_data": postback_data}}


def _choices(message: Message) -> Sequence[Choice]:
    """What the contact could tap on, in order; nothing where the message's template has changed meanwhile."""
    channel, template = Channel(message.channel), templates.of_messages([message]).get(message.id)
    try:
        sent = templating.filled(message.content, channel, template)
    except templating.Unfilled:
        return []
    return transcoding.choices(transcoding.given_to(channel, sent))


def refuse(
    message: Message, candidate: Candidate, *, decision: Decision, reason: Reason, now: datetime
) -> None:
    """Do what follows when a channel, or its receipt, says no. The caller holds the message's row."""
    window = message.accept_time + timedelta(seconds=message.app.retry_duration)
    if decision == Decision.RETRY and now + RETRY_AFTER_RECEIPT < window:
        # The channel's id stays: a receipt that repeats itself is not another failure.
        statuses.conclude(candidate, Candidate.Verdict.TRYING, reason=reason, now=now)
        statuses.enqueue(message, delay=RETRY_AFTER_RECEIPT)
        return
    statuses.conclude(candidate, Candidate.Verdict.REFUSED, reason=reason, now=now)
    match decision:
        case Decision.PERMANENT:
            statuses.settle(message, Status.FAILED, reason=reason, now=now)
            return
        case Decision.OPTED_OUT:
            opt_out(message.app, candidate.channel, candidate.identity, now=now)
        case Decision.CREDENTIAL:
            failing = ChannelCredential.objects.filter(pk=candidate.credential_id)
            failing.update(status=CredentialStatus.FAILING, status_description=reason.description[:500])
    statuses.try_next(message, reason=reason, now=now)


def _take_message(credential: ChannelCredential, event: Inbound, *, now: datetime) -> None:
    known = Message.objects.filter(
        credential_id=credential.id, channel_message_id=event.channel_message_id, direction=Direction.TO_APP
    )
    if event.channel_message_id and known.exists():
        return
    try:
        with transaction.atomic():
            _store(credential, event, now=now)
    except IntegrityError:
        if not known.exists():  # not the same message twice at once
            raise


def _store(credential: ChannelCredential, event: Inbound, *, now: datetime) -> None:
    app, channel = credential.app, Channel(credential.channel)
    identity = Identity(channel, _normal(credential, event.identity))
    contact = conversation = None
    if app.processing_mode == ProcessingMode.CONVERSATION:
        contact = resolving.find_or_create(
            app=app, identities=[identity], display_name=event.profile_name, now=now
        )
        conversation = conversing.join(app=app, contact=contact, accept_time=now, channel=channel, now=now)
    kept = recalling.kept(app, identity, conversation)
    message = Message.objects.create(
        project_id=app.project_id,
        app=app,
        conversation=conversation,
        direction=Direction.TO_APP,
        content=_content(app, event),
        accept_time=now,
        processing_mode=app.processing_mode,
        sender_id=event.sender_id,
        channel=channel,
        identity=identity.identity,
        credential_id=credential.id,
        channel_message_id=event.channel_message_id,
        correlation_id=kept.correlation_id,
    )
    told = payloads.reported_metadata(app, kept.metadata)
    about = replace(statuses.about(message, event.sent_at or now), message_metadata=told)
    payload = payloads.inbound(message, contact_id=contact.id if contact else "")
    publish(app=app, trigger=Trigger.MESSAGE_INBOUND, payload=payload, about=about)
    _heed(app, identity, contact, message.content, now=now)


def _heed(
    app: App, identity: Identity, contact: Contact | None, content: Mapping[str, Any], *, now: datetime
) -> None:
    """Do as a person asks who writes STOP or START, and nothing else, where numbers are the identities."""
    match content:
        case {"text_message": {"text": str(text)}} if identity.channel in PHONE_CHANNELS:
            wish = keywords.wish_in(text)
        case _:
            return
    if wish is None:
        return
    change = consents.opt_out if wish.opts_out else consents.opt_in
    contact = contact or resolving.find(app=app, identities=[identity])
    change(
        app=app,
        channel=identity.channel,
        identity=identity.identity,
        contact_id=contact.id if contact else "",
        origin=ConsentRecord.Origin.ORIGIN_MO,
        lists=wish.lists,
        now=now,
    )


def _take_receipt(credential: ChannelCredential, event: Receipt, *, now: datetime) -> None:
    """A receipt of any channel on the route counts when it says that the message arrived."""
    candidate = _reported(credential, event)
    if candidate is None:
        if taking.take_receipt(credential, event, now=now):
            return
        logger.info("receipt for an unknown message on credential %s", credential.id)
        return
    held = Message.objects.select_related("app", "conversation").select_for_update(of=("self",))
    message = held.filter(pk=candidate.message_id).first()
    if message is None:
        return
    candidate.refresh_from_db()  # the same receipt may have come twice at once
    if event.status in {ReceiptStatus.DELIVERED, ReceiptStatus.READ}:
        message.channel, message.identity = candidate.channel, candidate.identity
        statuses.settle(message, Status(event.status), now=now)
    elif not _is_of_present_try(message, candidate, event):
        return
    elif event.status == ReceiptStatus.QUEUED_ON_CHANNEL:
        statuses.settle(message, Status.QUEUED_ON_CHANNEL, now=now)
    else:
        reason = event.reason or Reason(ReasonCode.CHANNEL_FAILURE)
        refuse(message, candidate, decision=event.decision, reason=reason, now=now)


def _reported(credential: ChannelCredential, event: Receipt) -> Candidate | None:
    """By the channel's id; by ours where the receipt was faster than the answer, or the answer never came."""
    tried = Candidate.objects.filter(credential_id=credential.id)
    found = tried.filter(channel_message_id=event.channel_message_id).first()
    if found is None and ids.is_ulid(event.message_id):
        found = tried.filter(message_id=event.message_id).order_by("-position").first()
    return found


def _is_of_present_try(message: Message, candidate: Candidate, event: Receipt) -> bool:
    """Not of a channel that was given up, nor of a try that is being repeated."""
    if not message.is_unsettled or message.credential_id != candidate.credential_id:
        return False
    if candidate.verdict == Candidate.Verdict.TAKEN:
        return candidate.channel_message_id == event.channel_message_id
    return candidate.verdict == Candidate.Verdict.TRYING and not candidate.channel_message_id


def _normal(credential: ChannelCredential, identity: str) -> str:
    try:
        return channels.normalise(Channel(credential.channel), identity)
    except ValueError as error:
        raise NotACallback(str(error)) from error
