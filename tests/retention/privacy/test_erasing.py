"""Erasure: everything goes, but for what a legal hold keeps, and the proof stays."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection

from contacts.models import Consent, Contact
from conversations.models import Conversation, Message
from retention import holding
from retention.models import HoldScope, LegalHold, PrivacyRequest, Purge, PurgeBatch
from retention.privacy import erasing, requests
from retention.tasks import finish_erasures
from tests.factories import NOW, make_app, make_contact, make_conversation, make_message, make_user
from tests.retention.privacy.conftest import CANARY, NUMBER, said

State = PrivacyRequest.State


def ask(contact: Contact, *, by: Any = None) -> PrivacyRequest:
    return requests.receive(
        contact, kind=PrivacyRequest.Kind.ERASURE, identity_check="a code sent to the number", by=by, now=NOW
    )


def erase(contact: Contact) -> PrivacyRequest:
    return erasing.erase(requests.approve(ask(contact), by=make_user(), now=NOW), now=NOW)


def tables_with(text: str) -> set[str]:
    """The tables of the database that hold this text anywhere, be it in bytes."""
    found = set()
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT 1 FROM {connection.ops.quote_name(table)} AS row"  # noqa: S608  # a table's name
                " WHERE row::text LIKE %s OR row::text LIKE %s LIMIT 1",
                [f"%{text}%", f"%{text.encode().hex()}%"],
            )
            if cursor.fetchone():
                found.add(table)
    return found


def test_a_person_s_words_and_number_are_found_nowhere_afterwards(person):
    assert tables_with(CANARY)
    assert tables_with(NUMBER)

    request = erase(person)

    assert request.state == State.DONE
    assert request.verified_at == NOW
    assert tables_with(CANARY) == set()
    assert tables_with(NUMBER) == set()
    assert tables_with("canary@example.com") == set()


def test_somebody_without_a_number_is_erased_too(app):
    nameless = make_contact(app.project, display_name=CANARY)
    make_message(conversation=make_conversation(app, nameless), content=said())

    assert erase(nameless).state == State.DONE

    assert tables_with(CANARY) == set()


def test_others_keep_everything(person, app):
    neighbour = make_contact(app.project, "46700000011", display_name="Neighbour")
    kept = make_message(conversation=make_conversation(app, neighbour))
    namesake = make_contact(make_app().project, NUMBER)

    erase(person)

    assert Message.objects.filter(pk=kept.pk).exists()
    assert set(Contact.objects.all()) == {neighbour, namesake}


def test_what_went_is_counted_and_stands_in_the_ledger(person):
    request = erase(person)

    assert request.erased["conversations_message"] == 5
    assert request.erased["conversations_conversation"] == 2
    assert request.erased["contacts_contact"] == 1
    batches = PurgeBatch.objects.filter(purge__kind=Purge.Kind.ERASURE, purge__reference=request.pk)
    assert sum(batch.messages for batch in batches) == 5


def test_listeners_learn_the_id_of_who_was_erased_and_no_more(person):
    erase(person)

    assert any(table.startswith("webhooks_event") for table in tables_with(person.pk))
    assert tables_with(CANARY) == set()


def test_nothing_is_erased_before_somebody_approves(person):
    request = ask(person)

    finish_erasures()

    request.refresh_from_db()
    assert request.state == State.OPEN
    assert Message.objects.count() == 5


def test_what_a_hold_keeps_stays_and_goes_when_it_is_released(person, app):
    hold = holding.place(project=app.project, scope=HoldScope.APP, app=app, matter="Doe v. Roe", now=NOW)
    request = erase(person)
    assert request.state == State.HELD
    assert request.held["conversations_message"] == 3
    assert request.verified_at is None
    assert set(Message.objects.values_list("app", flat=True)) == {app.pk}

    holding.release(hold, text="settled", by=make_user(), now=NOW)
    finish_erasures()

    request.refresh_from_db()
    assert request.state == State.DONE
    assert tables_with(CANARY) == set()


def test_a_hold_on_the_contact_keeps_it_until_then(person):
    holding.place(
        project=person.project, scope=HoldScope.CONTACT, contact_id=person.pk, matter="Doe v. Roe", now=NOW
    )

    request = erase(person)

    assert request.state == State.HELD
    assert request.held["contacts_contact"] == 1
    assert Contact.objects.filter(pk=person.pk).exists()
    assert LegalHold.objects.active().exists()


def test_a_message_that_a_period_does_not_cover_goes(person, app):
    conversation = Conversation.objects.get(app=app, contact=person)
    old = make_message(conversation=conversation, accept_time=NOW - timedelta(days=30))
    holding.place(
        project=app.project, scope=HoldScope.CONVERSATION, conversation_id=conversation.pk, matter="Doe v. Roe",
        accept_from=NOW - timedelta(days=1), now=NOW,
    )  # fmt: skip

    erase(person)

    assert not Message.objects.filter(pk=old.pk).exists()
    assert Message.objects.filter(conversation=conversation).count() == 2


def test_it_goes_on_where_it_stopped(person):
    request = requests.approve(ask(person), by=make_user(), now=NOW)
    written = itertools.count()

    def lost_at_the_second_row(execute: Any, sql: str, *rest: Any) -> Any:
        if "INSERT INTO" in sql and "retention_purgebatch" in sql and next(written):
            raise OperationalError("the connection is gone")
        return execute(sql, *rest)

    with connection.execute_wrapper(lost_at_the_second_row), pytest.raises(OperationalError):
        erasing.erase(request, now=NOW)
    assert 0 < Message.objects.count() < 5

    finish_erasures()

    request.refresh_from_db()
    assert request.state == State.DONE
    assert request.erased["conversations_message"] == 5


def test_where_four_eyes_are_demanded_another_person_approves(person):
    person.project.demands_four_eyes = True
    person.project.save()
    first, second = make_user(), make_user()
    request = ask(person, by=first)

    with pytest.raises(ValidationError, match="four eyes"):
        requests.approve(request, by=first, now=NOW)
    approved = requests.approve(request, by=second, now=NOW)

    assert approved.state == State.APPROVED


def test_the_same_is_asked_for_once_at_a_time(person):
    ask(person)

    with pytest.raises(ValidationError, match="already asked for"):
        ask(person)


def test_a_request_without_a_check_of_who_asks_is_refused(person):
    with pytest.raises(ValidationError, match="blank"):
        requests.receive(person, kind=PrivacyRequest.Kind.ERASURE, identity_check="  ", now=NOW)

    assert not PrivacyRequest.objects.exists()


def test_opt_outs_of_the_same_number_in_another_project_stay(person):
    stranger = make_app()
    Consent.objects.create(app=stranger, channel="SANDBOX", identity=NUMBER, list_type="OPT_OUT_ALL")

    erase(person)

    assert Consent.objects.get().app == stranger
