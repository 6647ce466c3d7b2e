"""An erasure and what others do meanwhile: it ends erased, or it does not say that it is done."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection

from contacts.models import Contact
from conversations import merging
from conversations.hearing import receiving
from conversations.models import Conversation, Message
from gateway.channels.base import Inbound
from projects.models import App
from retention import holding
from retention.models import HoldScope, PrivacyRequest, PurgeBatch
from retention.privacy import erasing, requests
from retention.privacy.requests import StillOpen
from retention.tasks import finish_erasures
from tests.factories import NOW, make_app, make_contact, make_conversation, make_message, make_user
from tests.retention.privacy.conftest import NUMBER
from tests.retention.privacy.test_erasing import ask, tables_with

State = PrivacyRequest.State


def approved(contact: Contact) -> PrivacyRequest:
    return requests.approve(ask(contact), by=make_user(), now=NOW)


def at_once(*steps: Callable[[], Any], seconds: float = 30) -> list[Exception]:
    """All of them side by side, each on a connection of its own; what they raised."""
    raised: list[Exception] = []
    start = threading.Barrier(len(steps))

    def take(step: Callable[[], Any]) -> None:
        try:
            start.wait(timeout=10)
            step()
        except Exception as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=seconds)
    return raised


def chatty(count: int) -> Contact:
    """Somebody with so many messages."""
    contact = make_contact(make_app().project, NUMBER)
    conversation = make_conversation(contact.project.apps.get(), contact)
    first = make_message(conversation=conversation)
    copies = [Message(**_values(first)) for _ in range(count - 1)]
    Message.objects.bulk_create(copies)
    return contact


def _values(message: Message) -> dict[str, Any]:
    fields = (field.attname for field in Message._meta.concrete_fields)
    return {name: getattr(message, name) for name in fields if name != "id"}


@pytest.mark.parametrize("kind", PrivacyRequest.Kind)
def test_while_a_request_is_open_the_contact_goes_no_other_way(person, kind):
    requests.receive(person, kind=kind, identity_check="passport", now=NOW)

    with pytest.raises(StillOpen):
        merging.delete_contact(person, now=NOW)
    with pytest.raises(StillOpen):
        merging.merge_contacts(make_contact(person.project, "46700000011"), person, now=NOW)

    assert Contact.objects.filter(pk=person.pk).exists()


def test_afterwards_it_goes(person):
    requests.refuse(ask(person), why="not the person", by=make_user(), now=NOW)

    merging.delete_contact(person, now=NOW)

    assert not Contact.objects.exists()


def test_a_contact_that_has_just_gone_cannot_ask(person):
    merging.delete_contact(Contact.objects.get(), now=NOW)

    with pytest.raises(ValidationError, match="just gone"):
        ask(person)


def test_what_an_earlier_contact_of_the_number_said_is_erased_too(person, app):
    merging.delete_contact(person, now=NOW)
    again = make_contact(app.project, NUMBER)
    assert Conversation.objects.filter(contact=None).count() == 2

    request = erasing.erase(approved(again), now=NOW)

    assert request.state == State.DONE
    assert not Conversation.objects.exists()
    assert tables_with(NUMBER) == set()


def test_what_was_merged_into_somebody_goes_with_them(person, app):
    source = make_contact(app.project, "46700000011")
    make_message(conversation=make_conversation(make_app(app.project), source))
    request = approved(person)

    merging.merge_contacts(person, source, now=NOW)
    erasing.erase(request, now=NOW)

    assert not Conversation.objects.exists()


def test_of_who_vanished_by_sql_nobody_says_that_they_are_erased(person, app):
    lost = make_contact(app.project, "46700000011")
    requests_of_both = approved(lost), approved(person)
    lost.identities.all()._raw_delete("default")
    Contact.objects.filter(pk=lost.pk)._raw_delete("default")

    with pytest.raises(erasing.ContactVanished):
        erasing.erase(requests_of_both[0], now=NOW)
    finish_erasures()  # and the other does not wait for it

    for request in requests_of_both:
        request.refresh_from_db()
    assert [request.state for request in requests_of_both] == [State.APPROVED, State.DONE]


def test_what_nobody_approved_is_not_erased(person):
    with pytest.raises(erasing.NotApproved):
        erasing.erase(ask(person), now=NOW)

    assert Message.objects.count() == 5


def test_who_waits_at_a_page_waits_some_seconds_and_the_clock_does_the_rest(db):
    contact = chatty(erasing.BATCH + 10)
    request = erasing.erase(approved(contact), seconds=0, now=NOW)
    assert request.state == State.APPROVED
    assert Message.objects.count() == 10

    finish_erasures()

    request.refresh_from_db()
    assert request.state == State.DONE
    assert request.erased[Message._meta.db_table] == erasing.BATCH + 10


def test_a_hold_that_is_placed_midway_keeps_what_is_left_until_its_release(db):
    contact = chatty(erasing.BATCH + 10)
    request = erasing.erase(approved(contact), seconds=0, now=NOW)
    hold = holding.place(
        project=contact.project, scope=HoldScope.CONTACT, contact_id=contact.pk, matter="Doe v. Roe", now=NOW
    )

    finish_erasures()
    request.refresh_from_db()
    assert (request.state, request.held[Message._meta.db_table]) == (State.HELD, 10)

    holding.release(hold, text="settled", by=make_user(), now=NOW)
    finish_erasures()
    request.refresh_from_db()
    assert request.state == State.DONE


def test_two_at_once_erase_everything_once(committed):
    contact = chatty(2 * erasing.BATCH + 10)
    request = approved(contact)

    raised = at_once(
        *(lambda: erasing.erase(PrivacyRequest.objects.get(), now=NOW) for _ in range(2)),
    )

    request.refresh_from_db()
    assert raised == []
    assert request.state == State.DONE
    assert request.erased[Message._meta.db_table] == 2 * erasing.BATCH + 10
    assert sum(batch.messages for batch in PurgeBatch.objects.all()) == 2 * erasing.BATCH + 10


def test_of_two_approvals_at_once_one_counts(committed):
    request = ask(chatty(1))
    users = make_user(), make_user()

    raised = at_once(*(lambda by=by: requests.approve(request, by=by, now=NOW) for by in users))

    assert [str(error) for error in raised] == ["['It was decided already: approved, under way.']"]


def test_messages_that_arrive_meanwhile_are_erased_or_it_is_not_done(committed):
    contact = chatty(erasing.BATCH + 10)
    app: App = contact.project.apps.get()
    credential = app.credentials.get()
    request = approved(contact)
    is_over, numbers = threading.Event(), itertools.count()

    def write_on() -> None:
        while not is_over.is_set():
            number = next(numbers)
            said = Inbound(str(number), NUMBER, {"text_message": {"text": "hello"}}, NOW)
            try:
                receiving.receive(credential, [said], now=NOW)
            except DatabaseError:
                continue  # the channel would try again

    def erase() -> None:
        try:
            erasing.erase(PrivacyRequest.objects.get(pk=request.pk), now=NOW)
        finally:
            is_over.set()

    raised = at_once(write_on, write_on, erase)

    request.refresh_from_db()
    assert raised == []
    for _ in range(3):
        if request.state != State.DONE:
            finish_erasures()
            request.refresh_from_db()
    assert request.state == State.DONE
    assert not Conversation.objects.filter(contact=contact.pk).exists()
    assert not Conversation.objects.filter(contact=None).exists()
