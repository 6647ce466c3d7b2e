"""A project's settings: whether a number has one contact."""

import threading

import pytest
from django.db import connection

from contacts import resolving
from contacts.models import Contact, ContactSettings
from contacts.resolving import Identity
from gateway.channels.base import Channel
from tests.contacts.asking import create, patch
from tests.factories import NOW, api_client, make_app, make_contact, make_project, path
from tests.refusals import assert_refused

NUMBER = "46700000001"
ON = {"contact_settings": {"unified_contact_id_enabled": True}}
OFF = {"contact_settings": {"unified_contact_id_enabled": False}}


def unify(project):
    ContactSettings.objects.create(project=project, unified_contact_id_enabled=True)


def ask(client, project, method, body=None, query=""):
    return getattr(client, method)(path(project, f"settings{query}"), body, format="json")


@pytest.mark.django_db
def test_settings_are_made_shown_changed_and_deleted(client, project):
    shown = {"project_id": str(project.id), "settings": ON}

    assert ask(client, project, "post", ON).json() == shown
    assert ask(client, project, "get").json() == shown
    assert ask(client, project, "patch", OFF).json() == shown | {"settings": OFF}
    assert ask(client, project, "get").json() == shown | {"settings": OFF}
    assert ask(client, project, "delete").json() == {}
    assert ask(client, project, "get").status_code == 404


@pytest.mark.django_db
def test_there_is_room_for_one(client, project):
    ask(client, project, "post", ON)

    answer = ask(client, project, "post", OFF)

    assert (answer.status_code, answer.json()["error"]["status"]) == (409, "ALREADY_EXISTS")
    assert ask(client, project, "get").json()["settings"] == ON


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_where_there_are_none_they_are_not_found(client, project, method):
    assert ask(client, project, method, ON if method == "patch" else None).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "body", "settings"),
    [
        ("", {}, ON),
        ("?update_mask=contact_settings", {}, OFF),
        ("?update_mask=contact_settings.unified_contact_id_enabled", OFF, OFF),
        ("?update_mask=contact_settings.unified_contact_id_enabled", {}, OFF),
    ],
)
def test_a_change_writes_what_the_body_or_the_mask_names(client, project, query, body, settings):
    ask(client, project, "post", ON)

    assert ask(client, project, "patch", body, query).json()["settings"] == settings


@pytest.mark.django_db
@pytest.mark.parametrize("value", ["yes", 1, [], {}])
def test_a_flag_is_true_or_false(client, project, value):
    body = {"contact_settings": {"unified_contact_id_enabled": value}}

    assert_refused(
        ask(client, project, "post", body), "contact_settings.unified_contact_id_enabled", "true or false"
    )
    assert not ContactSettings.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["post", "patch"])
def test_contacts_are_not_unified_while_two_share_a_number(client, project, method):
    if method == "patch":
        ask(client, project, "post", OFF)
    make_contact(project, (Channel.SMS, NUMBER))
    second = make_contact(project, (Channel.RCS, NUMBER))

    refused = ask(client, project, method, ON)
    second.delete()
    taken = ask(client, project, method, ON)

    assert (refused.status_code, refused.json()["error"]["status"]) == (400, "FAILED_PRECONDITION")
    assert taken.status_code == 200


@pytest.mark.django_db
def test_unified_contacts_are_found_by_their_number_on_all_three_channels(project, app):
    contact = make_contact(project, (Channel.SMS, NUMBER))
    by_mms = [Identity(Channel.MMS, NUMBER)]
    assert resolving.find(app=app, identities=by_mms) is None

    unify(project)

    assert resolving.find(app=app, identities=by_mms) == contact
    assert resolving.find_or_create(app=app, identities=[Identity(Channel.RCS, NUMBER)], now=NOW) == contact
    assert resolving.find(app=app, identities=[Identity(Channel.WHATSAPP, NUMBER)]) is None


@pytest.mark.django_db
def test_a_second_contact_with_a_number_is_refused_where_contacts_are_unified(client, project):
    make_contact(project, (Channel.RCS, NUMBER))
    unify(project)

    assert_refused(create(client, project), "channel_identities", "unified")
    assert Contact.objects.filter(project=project).count() == 1


@pytest.mark.django_db
def test_a_contact_may_have_its_own_number_on_all_three_channels(client, project):
    unify(project)
    contact = make_contact(project, (Channel.SMS, NUMBER))
    identities = [{"channel": name, "identity": NUMBER} for name in ("SMS", "MMS", "RCS")]

    assert patch(client, contact, {"channel_identities": identities}).status_code == 200


@pytest.mark.django_db
def test_a_contact_cannot_take_over_a_number(client, project):
    unify(project)
    make_contact(project, (Channel.SMS, NUMBER))
    other = make_contact(project, (Channel.SMS, "46700000002"))
    identities = [{"channel": "MMS", "identity": NUMBER}]

    assert_refused(patch(client, other, {"channel_identities": identities}), "channel_identities", "unified")


@pytest.mark.django_db
def test_settings_are_a_project_s_own(client, project):
    unify(make_project())

    assert ask(client, project, "get").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_many_who_create_one_number_at_once_one_succeeds():
    project = make_project()
    make_app(project)
    unify(project)
    client, start, statuses = api_client(project), threading.Barrier(4), []

    def ask_for(channel):
        start.wait()
        identities = [{"channel": channel, "identity": NUMBER}]
        statuses.append(create(client, project, channel_identities=identities).status_code)
        connection.close()

    threads = [threading.Thread(target=ask_for, args=[name]) for name in ("SMS", "MMS", "RCS", "SMS")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200, 400, 400, 400]
    assert Contact.objects.count() == 1
