"""Messages by the vendor's official Python client, and the callbacks that it accepts."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sinch.domains.conversation.exceptions import ConversationException
from sinch.domains.conversation.models.v1.sinch_events import (
    ConversationSinchEventBase,
    MessageDeliveryReceiptEvent,
    MessageInboundEvent,
    MessageSubmitEvent,
)

from tests.live.conftest import Client, Subscriber
from tests.live.house import House, wait_until
from tests.live.official import MESSAGES, make_app, make_contact, new_number

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(180)]

SECRET = "a-webhook-secret"
# What its parser tells apart by these keys; the rest is to it an event without a name.
TYPED = {
    "message_submit_notification": MessageSubmitEvent,
    "message_delivery_report": MessageDeliveryReceiptEvent,
    "message": MessageInboundEvent,
}


def heard(subscriber: Subscriber, key: str) -> list[dict[str, Any]]:
    wait_until(lambda: subscriber.bodies(key), seconds=20, what=key)
    return subscriber.bodies(key)


@pytest.mark.parametrize("kind", MESSAGES)
def test_each_helper_sends_what_is_read_back(conversation: Any, kind: str) -> None:
    app, contact = make_app(conversation), make_contact(conversation)
    send = getattr(conversation.messages, f"send_{kind}")

    sent = send(app.id, MESSAGES[kind], contact_id=contact.id)

    message = conversation.messages.get(sent.message_id)
    wanted = {"text": MESSAGES[kind]} if kind == "text_message" else MESSAGES[kind]
    assert getattr(message.app_message, kind).model_dump(mode="json", exclude_none=True) == wanted


def test_a_send_may_say_everything_there_is_to_say(conversation: Any, subscriber: Subscriber) -> None:
    secret = {"secret_for_overridden_target": SECRET}
    app = make_app(conversation, event_destination_settings=secret)

    sent = conversation.messages.send(
        app_id=app.id,
        message={"text_message": {"text": "hello"}},
        recipient_identities=[{"channel": "SMS", "identity": f"+{new_number()}"}],
        ttl=60,
        event_destination_target=subscriber.target,
        channel_priority_order=["SMS"],
        channel_properties={"SMS_SENDER": "Shop"},
        message_metadata="m",
        conversation_metadata={"order": 7},
        queue="HIGH_PRIORITY",
        processing_strategy="DEFAULT",
        correlation_id="c-1",
        conversation_metadata_update_strategy="MERGE_PATCH",
        message_content_type="CONTENT_NOTIFICATION",
    )

    assert heard(subscriber, "message_delivery_report")[0]["message_id"] == sent.message_id
    events = conversation.sinch_events(SECRET)
    for headers, body in subscriber.requests:
        assert events.validate_authentication_header(headers, body.decode())
        event = events.parse_event(body, headers)
        assert (event.message_metadata, event.correlation_id) == ("m", "c-1")


def test_it_lists_messages_to_the_end_changes_and_deletes_them(conversation: Any) -> None:
    app, contact = make_app(conversation), make_contact(conversation)
    messages, to = conversation.messages, {"app_id": app.id, "contact_id": contact.id}
    sent = [messages.send_text_message(text=f"{n}", message_metadata="m", **to) for n in range(5)]
    newest_first = [one.message_id for one in reversed(sent)]

    def ids(**filters: Any) -> list[str]:
        return [one.id for one in messages.list(app_id=app.id, **filters).iterator()]

    assert ids(page_size=2) == newest_first
    assert ids(contact_id=contact.id, channel="SMS", direction="TO_CONTACT") == newest_first
    second = messages.get(newest_first[3])
    assert ids(start_time=second.accept_time) == newest_first[:4]
    assert ids(end_time=second.accept_time + timedelta(microseconds=1)) == newest_first[3:]
    (last,) = messages.list_last_messages_by_channel_identity(contact_ids=[contact.id]).iterator()
    assert last.id == newest_first[0]
    identities = [contact.channel_identities[0].identity, new_number()]
    lasts = messages.list_last_messages_by_channel_identity(channel_identities=identities, page_size=1)
    assert [one.id for one in lasts.iterator()] == [last.id]
    assert messages.update(last.id, metadata="new").metadata == "new"
    assert {one.metadata for one in messages.list(app_id=app.id, view="WITHOUT_METADATA").iterator()} == {""}
    messages.delete(last.id)
    assert ids() == newest_first[1:]


def test_dispatched_messages_are_a_source_of_their_own(conversation: Any) -> None:
    policy = {"retention_type": "MESSAGE_EXPIRE_POLICY", "ttl_days": 7}
    app = make_app(conversation, processing_mode="DISPATCH", dispatch_retention_policy=policy)
    identities = [{"channel": "SMS", "identity": new_number()}]
    messages, source = conversation.messages, {"messages_source": "DISPATCH_SOURCE"}

    sent = messages.send_text_message(app.id, "hello", recipient_identities=identities)

    assert [one.id for one in messages.list(app_id=app.id, **source).iterator()] == [sent.message_id]
    assert messages.update(sent.message_id, metadata="new", **source).metadata == "new"
    messages.delete(sent.message_id, **source)
    with pytest.raises(ConversationException, match="NOT_FOUND"):
        messages.get(sent.message_id, **source)


def test_it_accepts_and_reads_the_callbacks_of_a_message(
    house: House, conversation: Any, subscriber: Subscriber
) -> None:
    app = make_app(conversation)
    contact = make_contact(conversation, identity=new_number("08"))
    with Client(house) as ours:  # the official Python client has no call for webhooks
        triggers = ["MESSAGE_SUBMIT", "MESSAGE_DELIVERY", "MESSAGE_INBOUND", "CONVERSATION_START"]
        ours.subscribe(app.id, subscriber.target, secret=SECRET, triggers=triggers)

    sent = conversation.messages.send_text_message(app.id, "héllo €", contact_id=contact.id)

    (answer,) = heard(subscriber, "message")
    assert answer["contact_message"]["text_message"]["text"] == "You said: héllo €"
    answered = conversation.messages.get(answer["id"])
    assert answered.contact_message.text_message.text == "You said: héllo €"
    wait_until(lambda: sent.message_id in subscriber.delivered(), seconds=20, what="the delivery")
    reports = subscriber.bodies("message_delivery_report")
    assert [report["status"] for report in reports] == ["QUEUED_ON_CHANNEL", "DELIVERED"]
    events = conversation.sinch_events(SECRET)
    for headers, body in subscriber.requests:
        assert events.validate_authentication_header(headers, body.decode())
        assert not events.validate_authentication_header(headers, body.decode() + " ")
        kinds = [kind for key, kind in TYPED.items() if key in json.loads(body)]
        event = events.parse_event(body, headers)
        assert type(event) is (kinds[0] if kinds else ConversationSinchEventBase)
        assert event.app_id == app.id
