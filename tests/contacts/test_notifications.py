"""What the project's webhooks are told of its contacts."""

import pytest

from conversations.models import Conversation
from gateway.channels.base import Channel
from tests.factories import make_app, make_contact, make_conversation, make_message, make_webhook, path
from webhooks.models import Event
from webhooks.triggers import Trigger

pytestmark = pytest.mark.django_db

SMS = {"channel": "SMS", "identity": "46700000001", "app_id": ""}


def test_a_new_contact_is_told_of(client, project, told):
    contact = client.post(path(project, "contacts"), {"channel_identities": [SMS]}, format="json").json()

    (callback,) = told(Trigger.CONTACT_CREATE)
    assert callback["contact_create_notification"] == {"contact": contact}
    assert callback["project_id"] == str(project.id)
    assert callback["app_id"] == ""
    assert told(Trigger.CONTACT_IDENTITIES_DUPLICATION) == []


def test_a_refused_contact_is_not_told_of(client, project, told):
    client.post(
        path(project, "contacts"), {"channel_identities": [SMS], "metadata": "x" * 1025}, format="json"
    )

    assert told(Trigger.CONTACT_CREATE) == []


def test_a_changed_contact_is_told_of_as_it_is_now(client, project, told):
    contact = make_contact(project, (Channel.SMS, "46700000001"))

    changed = client.patch(
        path(project, f"contacts/{contact.id}"), {"display_name": "New"}, format="json"
    ).json()

    (callback,) = told(Trigger.CONTACT_UPDATE)
    assert callback["contact_update_notification"] == {"contact": changed}


def test_a_deleted_contact_is_told_of_as_it_was(client, project, told):
    contact = make_contact(project, (Channel.SMS, "46700000001"), display_name="Ünï")
    was = client.get(path(project, f"contacts/{contact.id}")).json()

    client.delete(path(project, f"contacts/{contact.id}"))

    (callback,) = told(Trigger.CONTACT_DELETE)
    assert callback["contact_delete_notification"] == {"contact": was}


def test_every_app_of_the_project_is_told_and_no_other_project(client, project, app):
    make_webhook(make_app(project))
    make_webhook(make_app())

    client.post(path(project, "contacts"), {"channel_identities": [SMS]}, format="json")

    assert Event.objects.count() == 2
    assert set(Event.objects.values_list("app__project", flat=True)) == {project.id}


def test_a_shared_identity_is_told_of_with_all_who_have_it(client, project, told):
    first = make_contact(project, (Channel.SMS, "46700000001"))
    body = {"channel_identities": [SMS, {"channel": "SMS", "identity": "46700000002"}]}

    second = client.post(path(project, "contacts"), body, format="json").json()["id"]

    (callback,) = told(Trigger.CONTACT_IDENTITIES_DUPLICATION)
    duplicated = [SMS | {"contact_ids": [first.id, second]}]
    assert callback["duplicated_contact_identities_notification"] == {"duplicated_identities": duplicated}
    assert callback["duplicated_identities"] == duplicated


def test_only_an_identity_that_a_change_adds_is_a_new_duplicate(client, project, told):
    make_contact(project, (Channel.SMS, "46700000001"), (Channel.MMS, "46700000001"))
    contact = make_contact(project, (Channel.SMS, "46700000001"))
    url = path(project, f"contacts/{contact.id}")

    client.patch(url, {"channel_identities": [SMS]}, format="json")
    assert told(Trigger.CONTACT_IDENTITIES_DUPLICATION) == []
    client.patch(url, {"channel_identities": [SMS, SMS | {"channel": "MMS"}]}, format="json")

    (callback,) = told(Trigger.CONTACT_IDENTITIES_DUPLICATION)
    assert [entry["channel"] for entry in callback["duplicated_identities"]] == ["MMS"]


def test_the_same_identity_in_another_app_or_project_is_no_duplicate(client, project, app, told):
    make_contact(project, (Channel.MESSENGER, "psid", make_app(project)))
    make_contact(None, (Channel.SMS, "46700000001"))
    body = {"channel_identities": [SMS, {"channel": "MESSENGER", "identity": "psid", "app_id": app.id}]}

    assert client.post(path(project, "contacts"), body, format="json").status_code == 200

    assert told(Trigger.CONTACT_IDENTITIES_DUPLICATION) == []


def test_deleting_a_contact_stops_its_conversations_and_keeps_them(client, project, app, told):
    contact = make_contact(project, "46700000010")
    conversation = make_conversation(app, contact)
    message = make_message(conversation=conversation)
    others = make_conversation(app)

    client.delete(path(project, f"contacts/{contact.id}"))

    conversation.refresh_from_db()
    assert conversation.contact is None
    assert not conversation.is_active
    message.refresh_from_db()
    (callback,) = told(Trigger.CONVERSATION_STOP)
    assert callback["conversation_stop_notification"]["conversation"]["id"] == conversation.id
    assert callback["conversation_stop_notification"]["conversation"]["contact_id"] == contact.id
    assert list(Conversation.objects.active()) == [others]
