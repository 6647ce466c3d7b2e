"""Events that come in, and reports on those that went out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import IntegrityError, transaction

from contacts import resolving
from contacts.resolving import Identity
from conversations import conversing
from conversations import payloads as talk
from conversations.events import payloads, settling
from conversations.models import ConversationEvent, Direction, Status
from conversations.reaching import recalling
from gateway.channels.base import InboundEvent, Reason, ReasonCode, Receipt, ReceiptStatus
from projects.models import ChannelCredential, ProcessingMode
from webhooks.publishing import publish
from webhooks.triggers import Trigger


def take(credential: ChannelCredential, event: InboundEvent, *, identity: Identity, now: datetime) -> None:
    """Store what the contact did and tell of it, once however often the channel says it."""
    known = ConversationEvent.objects.filter(
        credential_id=credential.id,
        channel_event_id=event.channel_event_id,
        direction=Direction.TO_APP,
    )
    if event.channel_event_id and known.exists():
        return
    try:
        with transaction.atomic():
            _store(credential, event, identity, now=now)
    except IntegrityError:
        if not known.exists():  # not the same event twice at once
            raise


def take_receipt(credential: ChannelCredential, receipt: Receipt, *, now: datetime) -> bool:
    """Settle the event that this receipt is of; False where it is of none."""
    sent = ConversationEvent.objects.select_related("app", "conversation").filter(
        credential_id=credential.id,
        channel_event_id=receipt.channel_message_id,
        direction=Direction.TO_CONTACT,
    )
    event = sent.select_for_update(of=("self",)).first() if receipt.channel_message_id else None
    if event is None:
        return False
    match receipt.status:
        case ReceiptStatus.QUEUED_ON_CHANNEL:
            settling.settle(event, Status.QUEUED_ON_CHANNEL, now=now)
        case ReceiptStatus.FAILED:
            reason = receipt.reason or Reason(ReasonCode.CHANNEL_FAILURE)
            settling.settle(event, Status.FAILED, reason=reason, now=now)
        case _:
            settling.settle(event, Status.DELIVERED, now=now)
    return True


def _store(credential: ChannelCredential, event: InboundEvent, identity: Identity, *, now: datetime) -> None:
    app, conversation = credential.app, None
    if app.processing_mode == ProcessingMode.CONVERSATION:
        contact = resolving.find_or_create(
            app=app, identities=[identity], display_name=event.profile_name, now=now
        )
        conversation = conversing.join(
            app=app, contact=contact, accept_time=None, channel=identity.channel, now=now
        )
    stored = ConversationEvent.objects.create(
        project_id=app.project_id,
        app=app,
        conversation=conversation,
        direction=Direction.TO_APP,
        content=event.content,
        accept_time=now,
        processing_mode=app.processing_mode,
        channel=identity.channel,
        identity=identity.identity,
        credential_id=credential.id,
        channel_event_id=event.channel_event_id,
    )
    kept = recalling.kept(app, identity, conversation)
    told = replace(
        settling.about(stored, event.occurred_at or now),
        message_metadata=talk.reported_metadata(app, kept.metadata),
        correlation_id=kept.correlation_id,
    )
    publish(app=app, trigger=Trigger.EVENT_INBOUND, payload=payloads.event(stored), about=told)
