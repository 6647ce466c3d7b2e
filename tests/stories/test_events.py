"""A client lets a contact see that somebody types; a contact does something other than writing."""

import json

import pytest

from conversations.models import Conversation, ConversationEvent
from gateway.channels.base import Channel
from projects.ids import ulid
from projects.models import ProcessingMode
from tests.factories import make_app, make_contact, make_credential, path


def send(api, app, number="46700000010", channel="SANDBOX", **fields):
    body = {
        "app_id": app.id,
        "recipient": {"identified_by": {"channel_identities": [{"channel": channel, "identity": number}]}},
        "event": {"composing_event": {}},
    } | fields
    return api.post(path(app.project, "events:send"), body, format="json")


def happens(client, app, number="46700000011", **fields):
    body = {"type": "event", "id": ulid(), "from": number, "contact_event": {"composing_event": {}}} | fields
    url = f"/callbacks/SANDBOX/{app.credentials.get().id}"
    return client.post(url, json.dumps(body), content_type="application/json")


def reported(subscriber):
    return [report["status"] for report in subscriber.got("event_delivery_report")]


def test_an_event_is_queued_and_delivered_in_signed_callbacks(api, app, subscriber, settle):
    answer = send(api, app, event_metadata="typing-7")
    settle()

    event_id = answer.json()["event_id"]
    first, last = subscriber.got("event_delivery_report")
    assert last == {
        "event_id": event_id,
        "status": "DELIVERED",
        "channel_identity": {"channel": "SANDBOX", "identity": "46700000010", "app_id": ""},
        "contact_id": app.project.contacts.get().id,
        "metadata": "typing-7",
        "processing_mode": "CONVERSATION",
    }
    assert first == last | {"status": "QUEUED_ON_CHANNEL"}
    envelope = next(body for body in subscriber.bodies if "event_delivery_report" in body)
    assert envelope["accepted_time"] == answer.json()["accepted_time"]
    assert envelope["message_metadata"] == "typing-7"
    assert subscriber.all_signed


def test_its_metadata_is_kept_no_longer_than_its_delivery_takes(api, app, settle):
    event_id = send(api, app, event_metadata="typing-7").json()["event_id"]
    assert ConversationEvent.objects.get(pk=event_id).metadata == "typing-7"

    settle()

    assert ConversationEvent.objects.get(pk=event_id).metadata == ""


@pytest.mark.parametrize(
    ("ending", "statuses"),
    [
        ("01", ["QUEUED_ON_CHANNEL", "DELIVERED"]),
        ("02", ["QUEUED_ON_CHANNEL", "DELIVERED"]),
        ("03", ["FAILED"]),
        ("04", ["QUEUED_ON_CHANNEL", "FAILED"]),
        ("05", ["QUEUED_ON_CHANNEL"]),
        ("06", ["QUEUED_ON_CHANNEL", "DELIVERED"]),
        ("07", ["FAILED"]),
        ("08", ["QUEUED_ON_CHANNEL", "DELIVERED"]),
    ],
)
def test_the_last_two_digits_choose_what_happens_to_an_event_too(
    api, app, subscriber, settle, ending, statuses
):
    send(api, app, f"467000000{ending}")

    settle()

    assert reported(subscriber) == statuses
    assert bool(subscriber.got("opt_out_notification")) is (ending == "07")
    assert bool(subscriber.got("event")) is (ending == "08")


def test_an_event_that_fails_is_not_tried_on_another_channel(api, project, app, subscriber, settle):
    make_credential(app, Channel.SMS)
    contact = make_contact(project, "46700000003", (Channel.SMS, "46700000010"))

    send(api, app, recipient={"contact_id": contact.id})
    settle()

    (report,) = subscriber.got("event_delivery_report")
    assert (report["status"], report["reason"]["code"]) == ("FAILED", "RECIPIENT_NOT_REACHABLE")


def test_the_order_of_the_request_chooses_the_channel(api, project, app, subscriber, settle):
    make_credential(app, Channel.SMS)
    contact = make_contact(project, "46700000003", (Channel.SMS, "46700000010"))

    send(api, app, recipient={"contact_id": contact.id}, channel_priority_order=["SMS"])
    settle()

    assert {report["channel_identity"]["channel"] for report in subscriber.got("event_delivery_report")} == {
        "SMS"
    }


def test_a_channel_that_carries_no_events_fails_them(api, app, subscriber, settle, settings):
    settings.CHANNELS_SANDBOXED = frozenset()
    make_credential(app, Channel.SMS)

    send(api, app, channel="SMS")
    settle()

    (report,) = subscriber.got("event_delivery_report")
    assert (report["status"], report["reason"]["code"]) == ("FAILED", "UNSUPPORTED_OPERATION")


def test_a_channel_without_a_credential_is_accepted_and_fails(api, app, subscriber, settle):
    answer = send(api, app, channel="MMS")
    settle()

    assert answer.status_code == 200
    (report,) = subscriber.got("event_delivery_report")
    assert (report["status"], report["reason"]["code"]) == ("FAILED", "CHANNEL_CONFIGURATION_MISSING")
    assert report["channel_identity"] is None


def test_a_credential_that_goes_meanwhile_fails_the_event(api, app, subscriber, settle):
    send(api, app)
    app.credentials.all().delete()

    settle()

    (report,) = subscriber.got("event_delivery_report")
    assert report["reason"]["code"] == "CHANNEL_CONFIGURATION_MISSING"


def test_an_event_to_a_new_number_makes_a_contact_and_a_conversation_without_a_message(
    api, app, subscriber, settle
):
    send(api, app)
    settle()

    assert len(subscriber.got("contact_create_notification")) == 1
    assert len(subscriber.got("conversation_start_notification")) == 1
    assert Conversation.objects.get().newest_accept_time is None


def test_a_dispatching_app_sends_events_without_contact_or_conversation(api, app, subscriber, settle):
    app.processing_mode = ProcessingMode.DISPATCH
    app.save()

    send(api, app)
    settle()

    report = subscriber.got("event_delivery_report")[-1]
    assert (report["status"], report["contact_id"]) == ("DELIVERED", "")
    assert report["processing_mode"] == "DISPATCH"
    assert not Conversation.objects.exists()


def test_reports_go_to_the_url_of_the_request(api, app, subscriber, settle, httpserver, settings):
    heard = []
    httpserver.expect_request("/own").respond_with_handler(lambda request: heard.append(request.json))

    answer = send(api, app, callback_url=httpserver.url_for("/own"))
    settle()

    assert answer.status_code == 200, answer.content
    assert [body["event_delivery_report"]["status"] for body in heard] == ["QUEUED_ON_CHANNEL", "DELIVERED"]
    assert reported(subscriber) == []


def test_what_a_contact_does_is_kept_and_told(client, api, app, subscriber, settle):
    happens(client, app, contact_event={"comment_event": {"text": "Nice"}})
    settle()

    (event,) = subscriber.got("event")
    assert event["direction"] == "TO_APP"
    assert event["contact_event"] == {"comment_event": {"text": "Nice"}}
    assert event["channel_identity"] == {"channel": "SANDBOX", "identity": "46700000011", "app_id": ""}
    assert (event["contact_id"], event["conversation_id"]) == (
        app.project.contacts.get().id,
        Conversation.objects.get().id,
    )
    assert api.get(path(app.project, f"events/{event['id']}")).json() == event


def test_a_reaction_is_an_event_about_a_message(client, app, subscriber, settle):
    reaction = {"reaction_event": {"emoji": "🦊", "action": "REACTION_ACTION_REACT", "message_id": ulid()}}
    body = {"type": "event", "id": "r-1", "from": "46700000011", "contact_message_event": reaction}
    url = f"/callbacks/SANDBOX/{app.credentials.get().id}"

    client.post(url, json.dumps(body), content_type="application/json")
    settle()

    (event,) = subscriber.got("event")
    assert event["contact_message_event"] == reaction
    assert "contact_event" not in event


def test_the_same_event_twice_is_kept_once(client, app, subscriber, settle):
    happens(client, app, id="same")
    happens(client, app, id="same")
    settle()

    assert len(subscriber.got("event")) == 1
    assert ConversationEvent.objects.count() == 1


def test_an_event_joins_the_conversation_and_carries_what_the_client_gave_it(
    client, api, app, subscriber, settle
):
    app.conversation_metadata_report_view = "FULL"
    app.save()
    body = {
        "app_id": app.id,
        "recipient": {
            "identified_by": {"channel_identities": [{"channel": "SANDBOX", "identity": "46700000011"}]}
        },
        "message": {"text_message": {"text": "hello"}},
        "correlation_id": "c-1",
        "conversation_metadata": {"order": 7},
    }
    api.post(path(app.project, "messages:send"), body, format="json")

    happens(client, app)
    settle()

    envelope = next(body for body in subscriber.bodies if "event" in body)
    assert (envelope["correlation_id"], envelope["message_metadata"]) == ("c-1", '{"order":7}')
    assert Conversation.objects.count() == 1


def test_what_a_contact_does_with_a_dispatching_app_has_no_conversation(client, subscriber, app, settle):
    app.processing_mode = ProcessingMode.DISPATCH
    app.save()

    happens(client, app)
    settle()

    (event,) = subscriber.got("event")
    assert (event["contact_id"], event["conversation_id"]) == ("", "")


def test_an_app_that_goes_loses_its_waiting_events(api, project, settle):
    app = make_app(project)
    send(api, app)

    api.delete(path(project, f"apps/{app.id}"))

    assert settle() == 0
