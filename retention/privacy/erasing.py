"""Erasing a contact: in every app and every store, but for what a legal hold keeps; that follows on its release."""

from __future__ import annotations

import math
import time
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
from retention import holding
from retention.models import HoldScope, LegalHold, PrivacyRequest, Purge
from retention.privacy import remembering
from retention.privacy.tracing import Person
from retention.proving import ledger
from retention.proving.ledger import Deletion
from webhooks.publishing import About, publish_in_project
from webhooks.triggers import Trigger

BATCH: Final = 1000  # rows of one transaction
PATIENCE: Final = 10  # seconds that somebody waits at a page; the clock's task does the rest

Counts = dict[str, int]  # rows, by the name of their table


class NotErased(Exception):
    """Nothing more is erased, and the request stays as it was."""


class NotApproved(NotErased):
    """Nobody has approved it, or it was refused: it has to be decided first."""


class ContactVanished(NotErased):
    """The contact went another way, which only SQL can: nobody can say any more which messages are meant."""


class SomethingIsLeft(NotErased):
    """A second look found what should be gone. A store is missing in `tracing`: it is ours to mend."""


def erase(
    request: PrivacyRequest, *, person: Person | None = None, seconds: float = math.inf, now: datetime
) -> PrivacyRequest:
    """Erase what no hold keeps; it may be called again until the request is DONE, and goes on where it stopped.

    In small transactions, each with its row of the ledger; the contact itself goes last. Two at once do no harm.
    `person` is for whoever knows more than the database does: by default, whom the contact is. Raises NotErased.
    """
    end = time.monotonic() + seconds
    person = person or _contact_of(request)
    request.refresh_from_db()  # after the contact: who erased it has said so by now
    if request.state == PrivacyRequest.State.DONE:
        return request
    if not request.is_under_way:
        raise NotApproved(f"The request is not approved: {request.get_state_display().lower()}.")
    if person is None:
        raise ContactVanished(f"Contact {request.contact_id} is gone, and not by this request.")
    remembering.write_down(request, person)
    person.adopt()
    for app in person.apps():
        while _erase_some(request, person, app, now=now):
            if time.monotonic() > end:
                return request
    return _settle(request, person, now=now)


def _contact_of(request: PrivacyRequest) -> Person | None:
    contact = Contact.objects.filter(pk=request.contact_id, project=request.project_id).first()
    return Person.of(contact) if contact else None


@transaction.atomic
def _erase_some(request: PrivacyRequest, person: Person, app: App, *, now: datetime) -> bool:
    """Up to a batch of each kind; whether there may be more."""
    request.refresh_from_db(from_queryset=_locked())  # of two at once, each adds to what the other counted
    if not request.is_under_way:
        return False
    App.objects.select_for_update(no_key=True).get(pk=app.pk)  # as the purge's batches and a new hold do
    holds = holding.over([app])[app.pk]
    messages = deleting.delete_messages(_some(holds.spare(person.messages().filter(app=app))))
    events = deleting.delete_events(_some(holds.spare(person.events().filter(app=app))))
    talks = person.conversations().filter(app=app)
    deleting.renew_newest(talks)
    is_full = BATCH in (len(messages), len(events))
    conversations = Gone() if is_full else _delete_empty(holds.spare(talks))
    deletion = Deletion(messages=messages, events=events, conversations=conversations, cutoff=now)
    ledger.prove(app=app, kind=Purge.Kind.ERASURE, reference=request.pk, deletion=deletion, now=now)
    _add(request, _counts(deletion))
    request.save(update_fields=["erased"])
    return is_full  # who writes on and on keeps nobody here: what came meanwhile is found when it is settled


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
def _settle(request: PrivacyRequest, person: Person, *, now: datetime) -> PrivacyRequest:
    """Let go what nobody said; where nothing said is left, the contact too. Then look again."""
    request.refresh_from_db(from_queryset=_locked())
    if request.state == PrivacyRequest.State.DONE:
        return request
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
    remembering.write_off(request)
    return request


def _locked() -> QuerySet[PrivacyRequest]:
    return PrivacyRequest.objects.select_for_update(no_key=True)


def _delete(rows: QuerySet[Any]) -> int:
    return rows.order_by()._raw_delete(rows.db) or 0  # None: no row can be meant, so nothing was asked


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


def _refuse_to_lie(person: Person) -> None:
    """The proof that the request was honoured is that a second look finds nothing."""
    left = [table for table, rows in person.others().items() if rows.exists()]
    if left or _is_left(person) or Contact.objects.filter(pk=person.contact_id).exists():
        raise SomethingIsLeft(
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
