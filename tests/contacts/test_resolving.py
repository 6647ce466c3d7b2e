import threading

import pytest
from django.db import connection

from contacts import resolving
from contacts.models import Contact
from contacts.resolving import Identity
from gateway.channels.base import Channel
from tests.factories import NOW, make_app, make_contact, make_project
from webhooks.triggers import Trigger

SMS = Identity(Channel.SMS, "46700000001")
PSID = Identity(Channel.MESSENGER, "psid")


@pytest.mark.django_db
def test_a_contact_is_found_by_any_of_its_identities(project, app):
    contact = make_contact(project, (Channel.SMS, "46700000001"), (Channel.MMS, "46700000002"))

    assert resolving.find(app=app, identities=[SMS]) == contact
    assert resolving.find(app=app, identities=[Identity(Channel.MMS, "46700000002"), PSID]) == contact
    assert resolving.find(app=app, identities=[Identity(Channel.MMS, "46700000001")]) is None
    assert resolving.find(app=app, identities=[]) is None


@pytest.mark.django_db
def test_the_oldest_contact_wins(project, app):
    newer = make_contact(project, (Channel.SMS, "46700000001"), id="7" + "Z" * 25)
    oldest = make_contact(project, (Channel.SMS, "46700000001"), id="0" * 26)

    assert resolving.find(app=app, identities=[SMS]) == oldest
    assert newer != oldest


@pytest.mark.django_db
def test_an_app_scoped_identity_is_found_in_its_app_alone(project, app):
    other = make_app(project)
    contact = make_contact(project, (Channel.MESSENGER, "psid", app))

    assert resolving.find(app=app, identities=[PSID]) == contact
    assert resolving.find(app=other, identities=[PSID]) is None


@pytest.mark.django_db
def test_a_contact_of_another_project_is_not_found(app):
    make_contact(make_project(), (Channel.SMS, "46700000001"))

    assert resolving.find(app=app, identities=[SMS]) is None


@pytest.mark.django_db
def test_who_is_unknown_is_created_and_told_of(app, told):
    contact = resolving.find_or_create(app=app, identities=[SMS, PSID, SMS], display_name="Ünï", now=NOW)

    known = [(row.channel, row.identity, row.app_id) for row in contact.identities.all()]
    assert known == [("SMS", "46700000001", None), ("MESSENGER", "psid", app.id)]
    assert contact.display_name == "Ünï"
    (callback,) = told(Trigger.CONTACT_CREATE)
    assert callback["contact_create_notification"]["contact"]["id"] == contact.id
    assert callback["accepted_time"] == "2026-06-01T12:00:00Z"


@pytest.mark.django_db
def test_who_is_known_is_not_created_again(app, told):
    first = resolving.find_or_create(app=app, identities=[SMS], now=NOW)

    assert resolving.find_or_create(app=app, identities=[PSID, SMS], display_name="Other", now=NOW) == first
    assert len(told(Trigger.CONTACT_CREATE)) == 1


@pytest.mark.django_db
def test_a_profile_name_of_any_length_is_no_obstacle(app):
    contact = resolving.find_or_create(app=app, identities=[SMS], display_name="🦊" * 300, now=NOW)

    assert contact.display_name == "🦊" * 255


@pytest.mark.django_db(transaction=True)
def test_many_who_ask_at_once_make_one_contact(app, told):
    found, start = [], threading.Barrier(6)

    def ask(identities):
        start.wait()
        found.append(resolving.find_or_create(app=app, identities=identities, now=NOW).id)
        connection.close()

    orders = [[SMS, PSID], [PSID, SMS]] * 3
    threads = [threading.Thread(target=ask, args=[identities]) for identities in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 6
    assert set(found) == set(Contact.objects.values_list("id", flat=True))
    assert Contact.objects.count() == 1
    assert len(told(Trigger.CONTACT_CREATE)) == 1
