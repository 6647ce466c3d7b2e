"""Every trigger arrives at a webhook that listens to it alone, in the contract's shape; or it is known never to be fired."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pytest
from django.test import Client
from rest_framework.test import APIClient

from projects.models import App
from tests.factories import make_contact, make_conversation, make_webhook, path
from webhooks.triggers import MEANINGS, Trigger

ENVELOPE: Final = {
    *("app_id", "project_id", "accepted_time", "event_time", "message_metadata", "correlation_id")
}
# wire contract 11
NEVER_FIRED: Final = {
    Trigger.SMART_CONVERSATION,
    Trigger.SMART_CONVERSATIONS,
    Trigger.MESSAGE_INBOUND_SMART_CONVERSATION_REDACTION,
    Trigger.RECORD_NOTIFICATION,
    Trigger.BATCH_STATUS_UPDATE,
}
NUMBER: Final = "46700000001"  # is delivered to


@dataclass(frozen=True, slots=True)
class World:
    """An app of a client, and the channel at its other end."""

    app: App
    api: APIClient
    channel: Client

    def post(self, rest: str, body: dict[str, Any] | None = None) -> Any:
        answer = self.api.post(path(self.app.project, rest), body or {}, format="json")
        assert answer.status_code == 200, answer.content
        return answer.json()

    def change(self, method: str, rest: str, body: dict[str, Any] | None = None) -> None:
        answer = getattr(self.api, method)(path(self.app.project, rest), body, format="json")
        assert answer.status_code == 200, answer.content

    def send(self) -> None:
        self.post("messages:send", {"message": {"text_message": {"text": "hello"}}} | self.to(NUMBER))

    def to(self, number: str) -> dict[str, Any]:
        identities = [{"channel": "SANDBOX", "identity": number}]
        return {"app_id": self.app.id, "recipient": {"identified_by": {"channel_identities": identities}}}

    def says(self, **body: Any) -> None:
        credential = self.app.credentials.get()
        answer = self.channel.post(
            f"/callbacks/SANDBOX/{credential.id}", json.dumps(body), content_type="application/json"
        )
        assert answer.status_code == 200, answer.content

    def writes(self, text: str) -> None:
        self.says(type="inbound", id=text, **{"from": NUMBER}, content={"text_message": {"text": text}})

    def contact(self) -> str:
        identities = [{"channel": "SANDBOX", "identity": NUMBER}]
        return str(self.post("contacts", {"channel_identities": identities})["id"])

    def conversation(self) -> str:
        return str(make_conversation(self.app, make_contact(self.app.project, NUMBER)).id)


def merge(world: World) -> None:
    source = world.contact()
    world.post(f"contacts/{world.contact()}:merge", {"source_id": source})


def opt_in(world: World) -> None:
    world.writes("stop")
    world.writes("start")


def send_event(world: World) -> None:
    world.post("events:send", {"event": {"composing_event": {}}} | world.to(NUMBER))


@dataclass(frozen=True, slots=True)
class Told:
    """What brings a trigger about, and how it reads: the key of its body, and what stands there."""

    cause: Callable[[World], object]
    key: str
    fields: str


MESSAGE: Final = (
    "id direction contact_message channel_identity conversation_id contact_id metadata accept_time sender_id "
    "processing_mode injected"
)
EVENT: Final = (
    "id direction contact_event channel_identity contact_id conversation_id accept_time processing_mode"
)
CONSENT: Final = "request_id contact_id channel identity status processing_mode"
# wire contract 3.7 and 5.2
FIRED: Final = {
    Trigger.MESSAGE_SUBMIT: Told(
        World.send,
        "message_submit_notification",
        "message_id conversation_id channel_identity contact_id submitted_message metadata processing_mode",
    ),
    Trigger.MESSAGE_DELIVERY: Told(
        World.send,
        "message_delivery_report",
        "message_id conversation_id status channel_identity contact_id metadata processing_mode",
    ),
    Trigger.MESSAGE_INBOUND: Told(lambda world: world.writes("hello"), "message", MESSAGE),
    Trigger.EVENT_DELIVERY: Told(
        send_event,
        "event_delivery_report",
        "event_id status channel_identity contact_id metadata processing_mode",
    ),
    Trigger.EVENT_INBOUND: Told(
        lambda world: world.says(
            type="event", id="1", contact_event={"composing_event": {}}, **{"from": NUMBER}
        ),
        "event",
        EVENT,
    ),
    Trigger.CONVERSATION_START: Told(World.send, "conversation_start_notification", "conversation"),
    Trigger.CONVERSATION_STOP: Told(
        lambda world: world.post(f"conversations/{world.conversation()}:stop"),
        "conversation_stop_notification",
        "conversation",
    ),
    Trigger.CONVERSATION_DELETE: Told(
        lambda world: world.change("delete", f"conversations/{world.conversation()}"),
        "conversation_delete_notification",
        "conversation",
    ),
    Trigger.CONTACT_CREATE: Told(World.contact, "contact_create_notification", "contact"),
    Trigger.CONTACT_UPDATE: Told(
        lambda world: world.change("patch", f"contacts/{world.contact()}", {"display_name": "Ada"}),
        "contact_update_notification",
        "contact",
    ),
    Trigger.CONTACT_DELETE: Told(
        lambda world: world.change("delete", f"contacts/{world.contact()}"),
        "contact_delete_notification",
        "contact",
    ),
    Trigger.CONTACT_MERGE: Told(merge, "contact_merge_notification", "preserved_contact deleted_contact"),
    Trigger.CONTACT_IDENTITIES_DUPLICATION: Told(
        merge, "duplicated_contact_identities_notification", "duplicated_identities"
    ),
    Trigger.CAPABILITY: Told(
        lambda world: world.post("capability:query", world.to(NUMBER)),
        "capability_notification",
        "request_id contact_id channel identity capability_status channel_capabilities",
    ),
    Trigger.OPT_OUT: Told(lambda world: world.writes("stop"), "opt_out_notification", CONSENT),
    Trigger.OPT_IN: Told(opt_in, "opt_in_notification", CONSENT),
    Trigger.CHANNEL_EVENT: Told(
        lambda world: world.says(type="channel_event", event_type="QUALITY_CHANGED", data={}),
        "channel_event_notification",
        "channel_event",
    ),
    Trigger.UNSUPPORTED: Told(
        lambda world: world.says(type="weather", **{"from": NUMBER}),
        "unsupported_callback",
        "id channel payload processing_mode contact_id conversation_id channel_identity",
    ),
}


def test_a_trigger_is_fired_or_known_never_to_be():
    assert FIRED.keys() | NEVER_FIRED == set(Trigger)
    assert not FIRED.keys() & NEVER_FIRED
    assert {one for one in Trigger if "never fired" in MEANINGS[one]} == NEVER_FIRED


@pytest.mark.parametrize("trigger", FIRED)
def test_a_trigger_arrives_under_its_key_with_all_its_fields(trigger, app, api, client, httpserver, settle):
    told, heard = FIRED[trigger], []
    httpserver.expect_request("/it").respond_with_handler(lambda request: heard.append(request.get_data()))
    make_webhook(app, httpserver.url_for("/it"), triggers=[trigger])

    told.cause(World(app, api, client))
    settle()

    assert heard
    for body in map(json.loads, heard):
        assert body.keys() - {"duplicated_identities"} == ENVELOPE | {told.key}
        assert body[told.key].keys() >= set(told.fields.split())
        assert body["project_id"] == str(app.project_id)
        assert body["app_id"] == ("" if trigger.startswith("CONTACT_") else app.id)
