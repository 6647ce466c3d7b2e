"""The way of a request: a month, an extension, a refusal, a copy for seven days."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection

from contacts.models import Contact
from conversations import deleting
from retention.models import PrivacyRequest
from retention.privacy import exporting, requests
from retention.privacy.tracing import Person
from tests.factories import NOW, make_event, make_message, make_user
from tests.retention.privacy.conftest import CANARY, NUMBER
from tests.retention.privacy.test_erasing import ask
from tests.retention.worlds import orbit


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(2026, 7, 1, 12, tzinfo=UTC)),
        (datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC)),
        (datetime(2026, 12, 31, tzinfo=UTC), datetime(2027, 1, 31, tzinfo=UTC)),
    ],
)
def test_a_request_is_due_a_calendar_month_later(received, due):
    assert requests.months_after(received, 1) == due


def test_it_can_be_extended_once_by_two_months_and_for_a_reason(person):
    request = ask(person)

    with pytest.raises(ValidationError, match="why more time"):
        requests.extend(request, why=" ")
    extended = requests.extend(request, why="many archives")
    with pytest.raises(ValidationError, match="once"):
        requests.extend(extended, why="still more")

    assert extended.due_at == requests.months_after(NOW, 3)


def test_a_refusal_needs_its_reason(person):
    request = ask(person)

    with pytest.raises(ValidationError, match="why the request is refused"):
        requests.refuse(request, why="", by=make_user(), now=NOW)
    refused = requests.refuse(request, why="not the person", by=make_user(), now=NOW)

    assert refused.state == PrivacyRequest.State.REFUSED
    with pytest.raises(ValidationError, match="decided already"):
        requests.approve(refused, by=make_user(), now=NOW)


def test_the_copy_holds_everything_in_the_api_s_own_shapes(person):
    copy = json.loads(b"".join(exporting.bundle(person, now=NOW)))

    assert copy["contact"]["channel_identities"][0]["identity"] == NUMBER
    assert len(copy["conversations"]) == 2
    assert len(copy["messages"]) == 5
    assert len(copy["events"]) == 2
    assert copy["messages"][0]["app_message"] == {"text_message": {"text": CANARY}}
    assert {record["operation"] for record in copy["opt_out_history"]} == {"OPERATION_INSERT"}


def test_the_copy_holds_every_store_that_an_erasure_empties(person, app):
    conversation = person.conversations.get(app=app)
    message = make_message(
        conversation=conversation,
        conversation_metadata={"case": CANARY},
        callback_url="https://a.example/canary",
    )
    records = orbit(message)
    event = make_event(conversation, metadata=CANARY)
    LogEntry.objects.log_actions(
        make_user().pk, Contact.objects.filter(pk=person.pk), 2, change_message="renamed"
    )

    copy = json.loads(b"".join(exporting.bundle(person, now=NOW)))

    shown = {row["id"]: row for row in (*copy["messages"], *copy["events"])}
    assert shown[message.pk]["conversation_metadata"] == {"case": CANARY}
    assert shown[message.pk]["callback_url"] == "https://a.example/canary"
    assert shown[event.pk]["metadata"] == CANARY
    for row in records:
        assert message.pk in [stored["message_id"] for stored in copy[row._meta.db_table]]
    assert any(CANARY in told["body"] for told in copy["webhooks_event"])
    assert [entry["change_message"] for entry in copy["django_admin_log"]] == ["renamed"]
    tables = {model._meta.db_table for model in deleting.satellites()} | Person.of(person).others().keys()
    assert tables - copy.keys() == {
        "contacts_consent",
        "contacts_consentrecord",
    }  # as opt-outs and their history


def test_the_table_runs_no_formula(person, app):
    person.conversations.first().messages.update(metadata='=HYPERLINK("https://evil.example")')

    lines = "".join(exporting.messages_table(person))

    assert len(lines.splitlines()) == 6
    assert ",'=HYPERLINK" in lines.replace('"', "")


def test_a_copy_can_be_fetched_for_seven_days(person):
    request = requests.receive(
        person, kind=PrivacyRequest.Kind.EXPORT, identity_check="passport", by=make_user(), now=NOW
    )

    approved = requests.approve(request, by=make_user(), now=NOW)

    assert approved.state == PrivacyRequest.State.DONE
    assert approved.downloadable_until == NOW + timedelta(days=7)


@pytest.mark.parametrize(
    "attack",
    [
        "DELETE FROM retention_privacyrequest",
        "TRUNCATE retention_privacyrequest CASCADE",
        "UPDATE retention_privacyrequest SET contact_id = gen_random_uuid()",
        "UPDATE retention_privacyrequest SET state = 'DONE', decided_at = now(), closed_at = now()",
        "UPDATE retention_privacyrequest SET received_at = now()",
    ],
)
def test_not_even_sql_unmakes_a_request_or_says_it_was_done(person, attack):
    ask(person)
    connection.check_constraints()  # no trigger is pending: it is ours that refuses

    with pytest.raises(DatabaseError, match=r"Cannot|violates|check"), connection.cursor() as cursor:
        cursor.execute(attack)


@pytest.mark.parametrize(
    "change", ["state = 'APPROVED', closed_at = NULL", "erased = '{}'", "refusal = 'nobody'"]
)
def test_what_became_of_a_request_stays(person, change):
    requests.refuse(ask(person), why="not the person", by=make_user(), now=NOW)

    with pytest.raises(DatabaseError, match="Cannot update"), connection.cursor() as cursor:
        cursor.execute(f"UPDATE retention_privacyrequest SET {change}")  # noqa: S608 -- an attack
