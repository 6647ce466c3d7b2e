"""Contacts go: what they said stays with the app, whose retention policy rules over it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from contacts import payloads
from contacts.models import Contact
from conversations import conversing
from conversations.models import Conversation
from webhooks.publishing import About, publish_in_project
from webhooks.triggers import Trigger


@transaction.atomic
def delete_contact(contact: Contact, *, now: datetime) -> None:
    """Stop its conversations, tell whoever listens, and delete it.

    Conversations and messages stay without it, for as long as the app's retention policy says.
    """
    Contact.objects.select_for_update().get(pk=contact.pk)  # nobody starts a conversation with it meanwhile
    for conversation in Conversation.objects.active().filter(contact=contact).select_related("app"):
        conversing.stop(conversation, now=now)
    publish_in_project(
        project_id=contact.project_id,
        trigger=Trigger.CONTACT_DELETE,
        payload={"contact": payloads.contact(contact)},
        about=About(accepted_time=now, event_time=now),
    )
    contact.delete()
