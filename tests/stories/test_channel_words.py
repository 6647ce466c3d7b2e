"""What a channel says of itself, and what nobody understands."""

import json

import pytest

from contacts.models import Contact
from gateway.channels.base import Channel
from tests.factories import make_contact, make_conversation, make_credential


def say(client, app, body):
    url = f"/callbacks/SANDBOX/{app.credentials.get(channel='SANDBOX').id}"
    return client.post(url, json.dumps(body), content_type="application/json")


def test_a_channel_that_reports_about_itself_is_passed_on(client, app, subscriber, settle):
    body = {"type": "channel_event", "event_type": "WHATS_APP_QUALITY_RATING_CHANGED", "data": {"to": "LOW"}}

    assert say(client, app, body).status_code == 200
    settle()

    (told,) = subscriber.got("channel_event_notification")
    assert told == {
        "channel_event": {
            "channel": "SANDBOX",
            "event_type": "WHATS_APP_QUALITY_RATING_CHANGED",
            "additional_data": {"to": "LOW"},
        }
    }


@pytest.mark.parametrize(
    "body",
    [
        {"type": "weather"},
        {"type": "event", "id": "1", "from": "46700000011"},
        {"type": "event", "id": "1", "from": "46700000011", "contact_event": {"rain_event": {}}},
        {
            "type": "event",
            "id": "1",
            "from": "46700000011",
            "contact_event": {"composing_event": {}, "composing_end_event": {}},
        },
        {"type": "event", "id": "1", "from": "46700000011", "contact_event": {"reaction_event": {}}},
        {"type": "channel_event"},
    ],
)
def test_what_is_not_understood_is_passed_on_as_it_came(client, app, subscriber, settle, body):
    assert say(client, app, body).status_code == 200
    settle()

    (told,) = subscriber.got("unsupported_callback")
    assert json.loads(told["payload"]) == body
    assert (told["channel"], told["processing_mode"]) == ("SANDBOX", "CONVERSATION")
    assert not Contact.objects.exists()


def test_what_is_not_understood_of_a_known_contact_names_it_and_its_conversation(
    client, project, app, subscriber, settle
):
    contact = make_contact(project, "46700000011")
    conversation = make_conversation(app, contact)

    say(client, app, {"type": "weather", "from": "+46700000011"})
    settle()

    (told,) = subscriber.got("unsupported_callback")
    assert (told["contact_id"], told["conversation_id"]) == (contact.id, conversation.id)
    assert told["channel_identity"] == {"channel": "SANDBOX", "identity": "46700000011", "app_id": ""}


def test_a_callback_on_an_app_scoped_channel_names_the_app(client, app, subscriber, settle):
    credential = make_credential(app, Channel.MESSENGER, key="static_token")
    url = f"/callbacks/MESSENGER/{credential.id}"

    client.post(url, json.dumps({"type": "weather", "from": "psid"}), content_type="application/json")
    settle()

    (told,) = subscriber.got("unsupported_callback")
    assert told["channel_identity"] == {"channel": "MESSENGER", "identity": "psid", "app_id": app.id}
