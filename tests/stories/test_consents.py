"""A contact writes STOP, and hears no more; or START, and hears again."""

import json

import pytest

from contacts.models import Consent, ConsentRecord
from gateway.channels.base import Channel
from projects.ids import ulid
from projects.models import ProcessingMode
from tests.factories import make_contact, make_credential, path

NUMBER = "46700000011"


def write(client, app, text, channel="SANDBOX", number=NUMBER):
    content = {"text_message": {"text": text}}
    body = {"type": "inbound", "id": ulid(), "from": number, "content": content}
    url = f"/callbacks/{channel}/{app.credentials.get(channel=channel).id}"
    return client.post(url, json.dumps(body), content_type="application/json")


def send(api, app, **fields):
    identities = [{"channel": "SANDBOX", "identity": NUMBER}]
    body = {
        "app_id": app.id,
        "recipient": {"identified_by": {"channel_identities": identities}},
        "message": {"text_message": {"text": "hello"}},
    } | fields
    return api.post(path(app.project, "messages:send"), body, format="json").json()["message_id"]


def test_who_writes_stop_is_listed_and_gets_nothing_more(client, api, app, subscriber, settle):
    write(client, app, "Stop")
    message_id = send(api, app)
    settle()

    (opt_out,) = subscriber.got("opt_out_notification")
    assert (opt_out["identity"], opt_out["status"]) == (NUMBER, "OPT_OUT_SUCCEEDED")
    assert opt_out["contact_id"] == app.project.contacts.get().id
    assert len(subscriber.got("message")) == 1
    assert subscriber.statuses_of(message_id) == ["FAILED"]
    assert subscriber.got("message_delivery_report")[0]["reason"]["code"] == "RECIPIENT_NOT_OPTED_IN"


def test_who_writes_start_afterwards_hears_again(client, api, app, subscriber, settle):
    write(client, app, "STOP")
    write(client, app, "START")
    message_id = send(api, app)
    settle()

    (opt_in,) = subscriber.got("opt_in_notification")
    assert (opt_in["identity"], opt_in["status"]) == (NUMBER, "OPT_IN_SUCCEEDED")
    assert opt_in["processing_mode"] == "CONVERSATION"
    assert subscriber.statuses_of(message_id) == ["QUEUED_ON_CHANNEL", "DELIVERED"]
    assert not Consent.objects.exists()
    operations = ConsentRecord.objects.order_by("id").values_list("operation", "origin")
    assert list(operations) == [("OPERATION_INSERT", "ORIGIN_MO"), ("OPERATION_DELETE", "ORIGIN_MO")]


def test_who_never_stopped_cannot_start(client, app, subscriber, settle):
    write(client, app, "START")
    settle()

    assert subscriber.got("opt_in_notification") == []
    assert not ConsentRecord.objects.exists()


def test_stopping_twice_is_told_once(client, app, subscriber, settle):
    write(client, app, "STOP")
    write(client, app, "QUIT")
    settle()

    assert len(subscriber.got("opt_out_notification")) == 1


def test_a_word_on_a_channel_without_numbers_is_a_word(client, app, subscriber, settle):
    make_credential(app, Channel.TELEGRAM, key="telegram_credentials")

    write(client, app, "STOP", channel="TELEGRAM", number="person")
    settle()

    assert subscriber.got("opt_out_notification") == []


@pytest.mark.parametrize(
    ("text", "content_type", "arrives"),
    [
        ("STOP", "CONTENT_UNKNOWN", False),
        ("STOP", "CONTENT_MARKETING", False),
        ("STOP", "CONTENT_NOTIFICATION", False),
        ("STOP MARKETING", "CONTENT_UNKNOWN", True),
        ("STOP MARKETING", "CONTENT_MARKETING", False),
        ("STOP MARKETING", "CONTENT_NOTIFICATION", True),
        ("STOP NOTIFICATIONS", "CONTENT_UNKNOWN", True),
        ("STOP NOTIFICATIONS", "CONTENT_MARKETING", True),
        ("STOP NOTIFICATIONS", "CONTENT_NOTIFICATION", False),
    ],
)
@pytest.mark.parametrize("mode", ProcessingMode)
def test_a_list_keeps_back_what_it_is_about(
    client, api, app, subscriber, settle, text, content_type, arrives, mode
):
    app.processing_mode = mode
    app.save()
    write(client, app, text)

    message_id = send(api, app, message_content_type=content_type)
    settle()

    assert (subscriber.statuses_of(message_id)[-1] == "DELIVERED") is arrives


def test_who_opted_out_on_one_channel_is_reached_on_the_next(client, api, app, subscriber, settle):
    make_credential(app, Channel.SMS)
    contact = make_contact(app.project, NUMBER, (Channel.SMS, NUMBER))
    write(client, app, "STOP")

    message_id = send(api, app, recipient={"contact_id": contact.id})
    settle()

    assert subscriber.statuses_of(message_id) == ["QUEUED_ON_CHANNEL", "DELIVERED"]
    assert {
        report["channel_identity"]["channel"] for report in subscriber.got("message_delivery_report")
    } == {"SMS"}


def test_events_do_not_reach_who_opted_out(client, api, app, subscriber, settle):
    write(client, app, "STOP")
    identities = [{"channel": "SANDBOX", "identity": NUMBER}]
    body = {
        "app_id": app.id,
        "recipient": {"identified_by": {"channel_identities": identities}},
        "event": {"composing_event": {}},
    }

    api.post(path(app.project, "events:send"), body, format="json")
    settle()

    (report,) = subscriber.got("event_delivery_report")
    assert (report["status"], report["reason"]["code"]) == ("FAILED", "RECIPIENT_NOT_OPTED_IN")


def test_who_opts_out_on_the_next_channel_meanwhile_is_not_tried_there(client, api, app, subscriber, settle):
    make_credential(app, Channel.SMS)
    contact = make_contact(app.project, "46700000003", (Channel.SMS, NUMBER))
    message_id = send(api, app, recipient={"contact_id": contact.id})

    write(client, app, "STOP", channel="SMS")
    settle()

    assert subscriber.statuses_of(message_id) == ["FAILED"]
