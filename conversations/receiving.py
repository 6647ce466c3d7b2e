"""A channel calls back: a contact wrote, or a receipt came in.

Refused
├── NotTheirs      the signature is not the channel's: answer 401, keep nothing
└── NotACallback   this is no callback of that channel: answer 400, keep nothing
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import orjson
from django.db import IntegrityError, transaction

from contacts import consents, resolving
from contacts.models import ConsentRecord
from contacts.resolving import Identity
from conversations import conversing, payloads, statuses
from conversations.models import Candidate, Direction, Message, Status
from gateway import channels
from gateway.channels.base import Channel, Event, Inbound, OptOut, Reason, ReasonCode, Receipt, ReceiptStatus
from projects.models import App, ChannelCredential, ProcessingMode, ReportView
from webhooks.publishing import publish
from webhooks.triggers import Trigger

logger = logging.getLogger(__name__)


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
    receive(credential, events, now=now)


@transaction.atomic
def receive(credential: ChannelCredential, events: Sequence[Event], *, now: datetime) -> None:
    """Take in parsed events, in their order. Raises NotACallback."""
    for event in events:
        match event:
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
    message = Message.objects.create(
        project_id=app.project_id,
        app=app,
        conversation=conversation,
        direction=Direction.TO_APP,
        content=event.content,
        accept_time=now,
        processing_mode=app.processing_mode,
        sender_id=event.sender_id,
        channel=channel,
        identity=identity.identity,
        credential_id=credential.id,
        channel_message_id=event.channel_message_id,
        correlation_id=conversation.correlation_id if conversation else "",
    )
    about = statuses.about(message, event.sent_at or now)
    if (
        conversation
        and app.conversation_metadata_report_view == ReportView.FULL
        and conversation.metadata_json
    ):
        about = replace(about, message_metadata=orjson.dumps(conversation.metadata_json).decode())
    payload = payloads.inbound(message, contact_id=contact.id if contact else "")
    publish(app=app, trigger=Trigger.MESSAGE_INBOUND, payload=payload, about=about)


def _take_receipt(credential: ChannelCredential, event: Receipt, *, now: datetime) -> None:
    """A receipt of any channel on the route counts when it says that the message arrived."""
    candidate = Candidate.objects.filter(
        credential_id=credential.id, channel_message_id=event.channel_message_id
    ).first()
    if candidate is None:
        logger.info("receipt for an unknown message on credential %s", credential.id)
        return
    held = Message.objects.select_related("app", "conversation").select_for_update(of=("self",))
    message = held.filter(pk=candidate.message_id).first()
    if message is None:
        return
    if event.status != ReceiptStatus.FAILED:
        message.channel, message.identity = candidate.channel, candidate.identity
        statuses.settle(message, Status(event.status), now=now)
    elif message.credential_id == candidate.credential_id and message.is_unsettled:
        reason = event.reason or Reason(ReasonCode.CHANNEL_FAILURE)
        statuses.conclude(candidate, Candidate.Verdict.REFUSED, reason=reason, now=now)
        statuses.try_next(message, reason=reason, now=now)


def _normal(credential: ChannelCredential, identity: str) -> str:
    try:
        return channels.normalise(Channel(credential.channel), identity)
    except ValueError as error:
        raise NotACallback(str(error)) from error
