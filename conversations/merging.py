"""Contacts go, alone or into another: what they said stays with the app, whose retention policy rules over it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import prefetch_related_objects

from contacts import payloads
from contacts.models import ChannelIdentity, Contact
from conversations import conversing, visibility
from conversations.models import Conversation
from webhooks.publishing import About, publish_in_project
from webhooks.triggers import Trigger

# What a merge takes from the source where the destination has nothing: wire contract 2.3.
FILLED_IN: Final = {
    "display_name": "",
    "email": "",
    "external_id": "",
    "language": "UNSPECIFIED",
    "metadata": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """A contact that goes, and who lets it go: a person, a key, or the system."""

    contact: Contact
    identities: int  # that go with it, or move
    into: Contact | None = None  # that takes what it has
    by: Any = None
    by_key: str | None = None


@transaction.atomic
def delete_contact(contact: Contact, *, by: Any = None, by_key: str | None = None, now: datetime) -> None:
    """Stop its conversations, tell whoever listens, put it on record, and delete it.

    Conversations and messages stay without it, for as long as the app's retention policy says. Raises Held.
    """
    Contact.objects.select_for_update().get(pk=contact.pk)  # nobody starts a conversation with it meanwhile
    visibility.refuse_if_held(Contact.objects.filter(pk=contact.pk))
    for conversation in Conversation.objects.active().filter(contact=contact).select_related("app"):
        conversing.stop(conversation, now=now)
    deleted = payloads.contact(contact)
    publish_in_project(
        project_id=contact.project_id,
        trigger=Trigger.CONTACT_DELETE,
        payload={"contact": deleted},
        about=About(accepted_time=now, event_time=now),
    )
    identities = len(deleted["channel_identities"])
    leaving = Leaving(contact=contact, identities=identities, by=by, by_key=by_key)
    visibility.rules.put_contact_on_record(leaving, now=now)
    contact.delete()


@transaction.atomic
def merge_contacts(
    destination: Contact, source: Contact, *, by: Any = None, by_key: str | None = None, now: datetime
) -> None:
    """Make two contacts one, put it on record, and tell whoever listens.

    The destination wins, the source fills its gaps and goes. Raises Contact.DoesNotExist when one of them has just
    gone, Held when a hold names the source.
    """
    ordered = Contact.objects.filter(pk__in=[destination.pk, source.pk]).order_by("pk")
    list(ordered.select_for_update())  # nobody starts a conversation with the source meanwhile
    visibility.refuse_if_held(ordered.filter(pk=source.pk))
    destination.refresh_from_db()
    source.refresh_from_db()
    _move_conversations(destination, source, now=now)
    deleted = payloads.contact(source)
    _move_identities(destination, source)
    for field, empty in FILLED_IN.items():
        if getattr(destination, field) == empty:
            setattr(destination, field, getattr(source, field))
    destination.save()
    identities = len(deleted["channel_identities"])
    leaving = Leaving(contact=source, identities=identities, into=destination, by=by, by_key=by_key)
    visibility.rules.put_contact_on_record(leaving, now=now)
    source.delete()
    publish_in_project(
        project_id=destination.project_id,
        trigger=Trigger.CONTACT_MERGE,
        payload={"preserved_contact": payloads.contact(destination), "deleted_contact": deleted},
        about=About(accepted_time=now, event_time=now),
    )


def _move_conversations(destination: Contact, source: Contact, *, now: datetime) -> None:
    """All of them; where both talk with one app at the moment, the source's conversation has ended."""
    taken = Conversation.objects.active().filter(contact=destination).values("app")
    for conversation in (
        Conversation.objects.active().filter(contact=source, app__in=taken).select_related("app")
    ):
        conversing.stop(conversation, now=now)
    Conversation.objects.filter(contact=source).update(contact=destination)


def _move_identities(destination: Contact, source: Contact) -> None:
    """Those on channels where the destination has none; these channels are tried last."""
    known = list(destination.identities.all())
    moved = [row for row in source.identities.all() if row.channel not in {one.channel for one in known}]
    for position, row in enumerate(moved, start=max((row.position for row in known), default=-1) + 1):
        ChannelIdentity.objects.filter(pk=row.pk).update(contact=destination, position=position)
    channels = [*destination.channel_priority, *(row.channel for row in moved)]
    destination.channel_priority = list(dict.fromkeys(channels))
    prefetch_related_objects([destination], "identities")
