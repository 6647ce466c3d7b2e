"""Two contacts become one."""

import json
import threading

import pytest
from django.db import connection

from contacts.models import Contact
from conversations.models import Conversation
from gateway.channels.base import Channel
from projects.ids import ulid
from tests.factories import (
    api_client,
    make_app,
    make_contact,
    make_conversation,
    make_event,
    make_message,
    make_project,
    make_webhook,
    path,
)
from tests.refusals import assert_refused
from webhooks.models import Event

FULL = {
    "display_name": "Ann",
    "email": "ann@example.com",
    "external_id": "crm-1",
    "language": "SV",
    "metadata": "vip",
}


def merge(api, destination, source, **fields):
    url = path(destination.project, f"contacts/{destination.id}:merge")
    return api.post(url, {"source_id": source.id, "strategy": "MERGE"} | fields, format="json")


def told(trigger):
    events = Event.objects.filter(trigger=trigger).order_by("id")
    return [json.loads(bytes(event.body)) for event in events]


def test_the_destination_gets_what_it_has_not_and_the_source_goes(api, project):
    destination = make_contact(
        project, (Channel.SMS, "46700000001"), email="old@example.com", channel_priority=["SMS"]
    )
    source = make_contact(project, (Channel.SMS, "46700000002"), (Channel.RCS, "46700000003"), **FULL)

    answer = merge(api, destination, source)

    assert answer.json() == FULL | {
        "id": destination.id,
        "email": "old@example.com",
        "channel_identities": [
            {"channel": "SMS", "identity": "46700000001", "app_id": ""},
            {"channel": "RCS", "identity": "46700000003", "app_id": ""},
        ],
        "channel_priority": ["SMS", "RCS"],
    }
    assert api.get(path(project, f"contacts/{destination.id}")).json() == answer.json()
    assert api.get(path(project, f"contacts/{source.id}")).status_code == 404


def test_a_name_that_was_only_shown_and_written_back_is_none(api, project):
    destination = make_contact(project, (Channel.SMS, "46700000001"))
    url = path(project, f"contacts/{destination.id}")
    written = api.patch(url, api.get(url).json(), format="json").json()  # as the Java client does

    merged = merge(api, destination, make_contact(project, "46700000002", display_name="Ann")).json()

    assert (written["display_name"], merged["display_name"]) == ("Unknown", "Ann")


def test_what_the_destination_has_it_keeps(api, project):
    destination = make_contact(project, "46700000001", **FULL)
    source = make_contact(
        project,
        "46700000002",
        display_name="Bo",
        email="bo@example.com",
        external_id="crm-2",
        language="DE",
        metadata="new",
    )

    kept = merge(api, destination, source).json()

    assert {name: kept[name] for name in FULL} == FULL
    assert [one["identity"] for one in kept["channel_identities"]] == ["46700000001"]


def test_conversations_messages_and_events_move_over(api, app, project, now):
    destination = make_contact(project, "46700000001")
    source = make_contact(project, "46700000002")
    conversation = make_conversation(app, source)
    message, event = make_message(conversation=conversation), make_event(conversation)

    merge(api, destination, source)

    conversation.refresh_from_db()
    assert (conversation.contact_id, conversation.is_active) == (destination.id, True)
    assert (
        api.get(path(project, f"messages/{message.id}")).json()["contact_id"]
        == api.get(path(project, f"events/{event.id}")).json()["contact_id"]
        == destination.id
    )


def test_where_both_talk_with_an_app_the_source_s_conversation_ends(api, app, project):
    make_webhook(app)
    elsewhere = make_app(project)
    destination, source = make_contact(project, "46700000001"), make_contact(project, "46700000002")
    kept = make_conversation(app, destination)
    stopped = make_conversation(app, source)
    alone = make_conversation(elsewhere, source)

    merge(api, destination, source)

    active = Conversation.objects.active().filter(contact=destination)
    assert set(active.values_list("id", flat=True)) == {kept.id, alone.id}
    assert Conversation.objects.filter(contact=destination).count() == 3
    (stop,) = told("CONVERSATION_STOP")
    assert stop["conversation_stop_notification"]["conversation"]["id"] == stopped.id


def test_a_merge_is_told_as_a_merge_and_not_as_a_deletion(api, app, project):
    make_webhook(app)
    destination = make_contact(project, "46700000001", display_name="Ann")
    source = make_contact(project, (Channel.RCS, "46700000002"))
    before = api.get(path(project, f"contacts/{source.id}")).json()

    merged = merge(api, destination, source).json()

    (callback,) = told("CONTACT_MERGE")
    assert callback["app_id"] == ""
    assert callback["contact_merge_notification"] == {"preserved_contact": merged, "deleted_contact": before}
    assert told("CONTACT_DELETE") == []


def test_a_contact_is_not_merged_with_itself(api, project):
    contact = make_contact(project, "46700000001")

    assert_refused(merge(api, contact, contact), "source_id")
    assert Contact.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field"), [({"source_id": None}, "source_id"), ({"strategy": "SPLIT"}, "strategy")]
)
def test_a_field_that_is_wrong_is_named(api, project, fields, field):
    pair = make_contact(project, "46700000001"), make_contact(project, "46700000002")

    assert_refused(merge(api, *pair, **fields), field)
    assert Contact.objects.count() == 2


def test_contacts_of_others_do_not_exist(api, project):
    contact, theirs = make_contact(project, "46700000001"), make_contact(make_project(), "46700000002")

    for source_id in (theirs.id, ulid(), "nonsense"):
        assert merge(api, contact, contact, source_id=source_id).status_code == 404
    assert Contact.objects.count() == 2


def test_a_merge_is_posted(api, project):
    contact = make_contact(project, "46700000001")

    answer = api.get(path(project, f"contacts/{contact.id}:merge"))

    assert (answer.status_code, answer.json()["error"]["status"]) == (501, "UNIMPLEMENTED")


@pytest.mark.django_db(transaction=True)
def test_of_two_merges_of_one_source_at_once_one_succeeds():
    project = make_project()
    source = make_contact(project, "46700000001")
    destinations = [make_contact(project, (Channel.SMS, f"4670000001{n}")) for n in range(2)]
    client, start, statuses = api_client(project), threading.Barrier(2), []

    def ask(destination):
        start.wait()
        statuses.append(merge(client, destination, source).status_code)
        connection.close()

    threads = [threading.Thread(target=ask, args=[destination]) for destination in destinations]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200, 404]
    assert Contact.objects.count() == 2
