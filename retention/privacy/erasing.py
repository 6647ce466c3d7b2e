"""Erasing a contact: in every app and every store, but for what a legal hold keeps; that follows on its release."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from contacts import payloads
from contacts.models import Contact
from conversations import deleting
from conversations.deleting import Gone
from conversations.models import Conversation, ConversationEvent, Message
from projects.models import App
from retention import holding, ledger
from retention.ledger import Deletion
from retention.models import HoldScope, LegalHold, PrivacyRequest, Purge
from retention.privacy import remembering
from retention.privacy.tracing import Person
from webhooks.publishing import About, publish_in_project
from webhooks.triggers import Trigger

BATCH: Final = 1000  # rows of one transaction

Counts = dict[str, int]  # rows, by the name of their table


def erase(request: PrivacyRequest, *, person: Person | None = None, now: datetime) -> PrivacyRequest:
    """Erase what no hold keeps; it may be called again until the request is DONE, and goes on where it stopped.

    In small transactions, each with its row of the ledger; the contact itself goes last. `person` is for whoever
    knows more than the database does: by default, whom the contact is.
    """
    person = person or _contact_of(request)
    if person:
        remembering.write_down(request, person)
        for app in person.apps():
            while _erase_some(request, person, app, now=now):
                pass
    return _settle(request, person, now=now)


def _contact_of(request: PrivacyRequest) -> Person | None:
    contact = Contact.objects.filter(pk=request.contact_id, project=request.project_id).first()
    return Person.of(contact) if contact else None


@transaction.atomic
def _erase_some(request: PrivacyRequest, person: Person, app: App, *, now: datetime) -> bool:
    """Up to a batch of each kind; whether there may be more."""
    App.objects.select_for_update(no_key=True).get(pk=app.pk)  # as the purge's batches and a new hold do
    holds = holding.over([app])[app.pk]
    messages = deleting.delete_messages(_some(holds.spare(person.messages().filter(app=app))))
    events = deleting.delete_events(_some(holds.spare(person.events().filter(app=app))))
    talks = person.conversations().filter(app=app)
    deleting.renew_newest(talks)
    conversations = Gone() if messages or events else _delete_empty(holds.spare(talks))
    deletion = Deletion(messages=messages, events=events, conversations=conversations, cutoff=now)
    ledger.prove(app=app, kind=Purge.Kind.ERASURE, reference=request.pk, deletion=deletion, now=now)
    _add(request, _counts(deletion))
    request.save(update_fields=["erased"])
    return bool(messages or events)


def _counts(deletion: Deletion) -> Counts:
    said = {
        Message._meta.db_table: len(deletion.messages),
        ConversationEvent._meta.db_table: len(deletion.events),
        Conversation._meta.db_table: len(deletion.conversations),
    }
    return said | dict(deletion.all.satellites)


def _some(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.order_by("accept_time", "pk")[:BATCH]


def _delete_empty(talks: QuerySet[Conversation]) -> Gone:
    left = Exists(Message.objects.filter(conversation=OuterRef("pk"))) | Exists(
        ConversationEvent.objects.filter(conversation=OuterRef("pk"))
    )
    return deleting.delete_conversations(list(talks.filter(~left).select_for_update(skip_locked=True)))


@transaction.atomic
def _settle(request: PrivacyRequest, person: Person | None, *, now: datetime) -> PrivacyRequest:
    """Let go what nobody said; where nothing said is left, the contact too. Then look again."""
    request = PrivacyRequest.objects.select_for_update(no_key=True).get(pk=request.pk)
    request.held = {}
    if person:
        contacts = Contact.objects.filter(pk=person.contact_id)
        list(contacts.select_for_update())  # nobody starts a conversation meanwhile
        _add(request, {table: _delete(rows) for table, rows in person.others().items()})
        request.held = _held(person)
        if request.held or _is_left(person):
            # What is left and not held, another transaction had locked: the next try takes it.
            request.state = PrivacyRequest.State.HELD if request.held else PrivacyRequest.State.APPROVED
            request.save()
            return request
        _add(request, {Contact._meta.db_table: contacts.delete()[1].get(Contact._meta.label, 0)})
        _refuse_to_lie(person)
        _tell(person, now=now)
    request.state, request.verified_at, request.closed_at = PrivacyRequest.State.DONE, now, now
    request.save()
    return request


def _delete(rows: QuerySet[Any]) -> int:
    return rows.order_by()._raw_delete(rows.db)


def _held(person: Person) -> dict[str, int]:
    """What holds keep of the person, in rows by table."""
    kept: Counter[str] = Counter()
    for app_id, holds in holding.over(person.apps()).items():
        for rows in (person.messages(), person.events(), person.conversations()):
            kept[rows.model._meta.db_table] += holds.keep(rows.filter(app=app_id)).count()
    named = LegalHold.objects.active().filter(scope=HoldScope.CONTACT, contact_id=person.contact_id)
    kept[Contact._meta.db_table] = int(named.exists())
    return {table: count for table, count in kept.items() if count}


def _is_left(person: Person) -> bool:
    return any(rows.exists() for rows in (person.messages(), person.events(), person.conversations()))


class NotErased(AssertionError):
    """Something is left although everything was deleted: nothing is, and the request stays as it was."""


def _refuse_to_lie(person: Person) -> None:
    """The proof that the request was honoured is that a second look finds nothing."""
    left = [table for table, rows in person.others().items() if rows.exists()]
    if left or _is_left(person) or Contact.objects.filter(pk=person.contact_id).exists():
        raise NotErased(
            f"Of contact {person.contact_id} something is left: {', '.join(left) or 'what was said'}."
        )


def _tell(person: Person, *, now: datetime) -> None:
    """CONTACT_DELETE, with the id alone: who listens can forget the person too."""
    publish_in_project(
        project_id=person.project_id,
        trigger=Trigger.CONTACT_DELETE,
        payload={"contact": payloads.contact(Contact(pk=person.contact_id))},
        about=About(accepted_time=now, event_time=now),
    )


def _add(request: PrivacyRequest, counts: Counts) -> None:
    """To what the request has erased so far; the caller saves it, or has it locked."""
    total = Counter(request.erased) + Counter(counts)
    request.erased = {table: count for table, count in sorted(total.items()) if count}
