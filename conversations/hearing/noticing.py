"""What a channel says beside messages, events and receipts: it is told and not kept."""

from __future__ import annotations

from datetime import datetime

from contacts import resolving
from contacts.payloads import channel_identity
from contacts.resolving import Identity
from conversations.models import Conversation
from gateway import channels
from gateway.channels.base import APP_SCOPED, Channel, ChannelEvent, Unsupported
from projects import ids
from projects.models import App, ChannelCredential, ProcessingMode
from webhooks.publishing import About, publish
from webhooks.triggers import Trigger


def channel_event(credential: ChannelCredential, event: ChannelEvent, *, now: datetime) -> None:
    """Tell what the channel reports about itself."""
    told = {"channel": credential.channel, "event_type": event.event_type, "additional_data": event.data}
    about = About(accepted_time=now, event_time=event.occurred_at or now)
    publish(app=credential.app, trigger=Trigger.CHANNEL_EVENT, payload={"channel_event": told}, about=about)


def unsupported(credential: ChannelCredential, event: Unsupported, *, now: datetime) -> None:
    """Tell what has no place in the contract, as it came; nobody becomes a contact by it."""
    app, identity = credential.app, _identity(credential, event.identity)
    contact = conversation = None
    if identity and app.processing_mode == ProcessingMode.CONVERSATION:
        contact = resolving.find(app=app, identities=[identity])
        conversation = Conversation.objects.active().filter(app=app, contact=contact).first()
    payload = {
        "channel": credential.channel,
        "payload": event.payload,
        "processing_mode": app.processing_mode,
        "id": ids.ulid(),
        "contact_id": contact.id if contact else "",
        "conversation_id": conversation.id if conversation else "",
        "channel_identity": _told(app, identity) if identity else None,
    }
    correlation_id = conversation.correlation_id if conversation else ""
    about = About(accepted_time=now, event_time=now, correlation_id=correlation_id)
    publish(app=app, trigger=Trigger.UNSUPPORTED, payload=payload, about=about)


def _identity(credential: ChannelCredential, said: str) -> Identity | None:
    """Who it is about, where that can be made out."""
    channel = Channel(credential.channel)
    try:
        return Identity(channel, channels.normalise(channel, said))
    except ValueError:
        return None


def _told(app: App, identity: Identity) -> dict[str, str]:
    scope = app.id if identity.channel in APP_SCOPED else ""
    return channel_identity(identity.channel, identity.identity, scope)
