"""A backup brings back whom it knows; those who were erased since are erased again before anybody is served."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import ChannelIdentity, Contact
from conversations.models import Message
from projects.models import ProcessingMode
from retention.models import PrivacyRequest
from retention.privacy import remembering, requests, restoring
from retention.privacy.tracing import Person
from tests.factories import NOW, make_app, make_contact, make_message, make_user
from tests.retention.privacy.conftest import NUMBER
from tests.retention.privacy.test_erasing import ask, erase, tables_with

LATER = NOW + timedelta(days=1)


def as_if_restored(person: Contact) -> PrivacyRequest:
    """Erased, then the database is as it was before that: its record is all that is left of it."""
    forgotten = PrivacyRequest(pk="01KVNTZ0000000000000000000", project=person.project)
    remembering.write_down(forgotten, Person.of(person))
    return forgotten


def test_who_was_erased_since_the_backup_is_erased_again(person):
    forgotten = as_if_restored(person)

    (again,) = restoring.reapply(now=LATER)

    assert again.pk == forgotten.pk
    assert again.state == PrivacyRequest.State.DONE
    assert tables_with(NUMBER) == set()


def test_a_request_that_the_backup_knows_as_open_is_done(person):
    request = ask(person)
    remembering.write_down(request, Person.of(person))

    restoring.reapply(now=LATER)

    request.refresh_from_db()
    assert request.state == PrivacyRequest.State.DONE


def test_a_backup_made_in_the_middle_of_an_erasure_brings_nobody_back(person):
    request = requests.approve(ask(person), by=make_user(), now=NOW)
    remembering.write_down(request, Person.of(person))
    remembering.write_off(request)

    (again,) = restoring.reapply(now=LATER)

    assert (again.pk, again.state) == (request.pk, PrivacyRequest.State.DONE)
    assert tables_with(NUMBER) == set()


def test_an_erasure_that_is_under_way_keeps_nobody_waiting(person):
    request = requests.approve(ask(person), by=make_user(), now=NOW)
    remembering.write_down(request, Person.of(person))

    assert restoring.reapply(now=LATER) == []


def test_dispatched_messages_are_found_by_the_number_alone(person, app):
    as_if_restored(person)
    ChannelIdentity.objects.filter(contact=person).delete()

    restoring.reapply(now=LATER)

    assert not Message.objects.filter(processing_mode=ProcessingMode.DISPATCH).exists()


def test_where_nothing_was_restored_nothing_is_erased(person, app):
    erase(person)
    anew = make_contact(app.project, NUMBER)
    message = make_message(app, processing_mode=ProcessingMode.DISPATCH, identity=NUMBER)

    assert restoring.reapply(now=LATER) == []

    assert Contact.objects.get() == anew
    assert Message.objects.get() == message


def test_the_record_of_another_installation_s_project_is_left_alone(person):
    stranger = make_contact(make_app().project, NUMBER)
    as_if_restored(stranger)
    project = stranger.project
    stranger.delete()
    project.apps.all().delete()
    project.delete()

    assert restoring.reapply(now=LATER) == []


def test_the_record_names_nobody(person, record):
    as_if_restored(person)

    text = record.read_text()

    assert person.pk in text
    assert NUMBER not in text
    assert person.display_name not in text


def test_a_line_that_a_crash_cut_short_is_none_and_the_next_one_is_whole(person, record):
    first = as_if_restored(person)
    with record.open("a") as file:
        file.write('{"request": "01KVNT')
    second = PrivacyRequest(pk="01KVNTZ0000000000000000001", project=person.project)

    remembering.write_down(second, Person.of(person))

    assert [line.request_id for line in remembering.written()] == [first.pk, second.pk]


def test_many_are_erased_again_with_one_look_through_all_numbers(app):
    for number in range(10):
        contact = make_contact(app.project, f"4670000{number:04d}")
        request = PrivacyRequest(pk=f"01KVNTZ00000000000000000{number:02d}", project=app.project)
        remembering.write_down(request, Person.of(contact))

    with CaptureQueriesContext(connection) as asked:
        again = restoring.reapply(now=LATER)

    assert len(again) == 10
    assert not Contact.objects.exists()
    looks = [one for one in asked if 'DISTINCT "contacts_channelidentity"."channel"' in one["sql"]]
    assert len(looks) == 1


def test_another_request_that_the_backup_knows_as_open_gives_way(person):
    open_in_the_backup = ask(person)
    forgotten = as_if_restored(person)

    (again,) = restoring.reapply(now=LATER)

    open_in_the_backup.refresh_from_db()
    assert (again.pk, again.state) == (forgotten.pk, PrivacyRequest.State.DONE)
    assert open_in_the_backup.state == PrivacyRequest.State.REFUSED
