"""A project in which there is one of everything that the API answers."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client

from contacts.models import Consent, ConsentList, ConsentRecord, ContactSettings
from conversations.models import Direction, Status
from gateway.channels.base import Channel
from projects import clock, keys
from projects.models import App, Project
from projects.requests.wire import timestamp
from retention import holding
from retention.deciding import changing
from retention.models import HoldScope, Via
from retention.policies import PolicyType
from tests.factories import (
    KEY,
    NOW,
    keep_dispatched,
    make_app,
    make_contact,
    make_conversation,
    make_event,
    make_message,
    make_project,
    make_replay,
    make_template,
    make_webhook,
)
from webhooks.models import TargetType, Webhook
from webhooks.publishing import About, publish
from webhooks.triggers import Trigger

NUMBER = "46700000001"
LONG_AGO = NOW - timedelta(days=10_000)


class World:
    """The project, the key that opens it, and by their names in paths the ids of what is there."""

    def __init__(self) -> None:
        self.project = make_project()
        app = make_app(self.project, channels=[Channel.SMS])
        webhook = make_webhook(app, target="https://127.0.0.1:9/", target_type=TargetType.DISMISS)
        told = told_of_something(app, webhook)
        self.ids = {"project_id": str(self.project.id), "app_id": app.id, "webhook_id": webhook.id}
        self.ids |= talk(self.project, app)
        self.ids |= {"list_type": ConsentList.OPT_OUT_ALL, "identity": NUMBER}
        self.ids |= {"template_id": make_template(self.project).public_id, "hold_id": held(app)}
        # What a request must say to be more than wrong.
        self.words = self.ids | {"accept_time": moments_ago(), "page_token": "", "update_mask": ""}
        self.of_webhook = {"event_id": told, "replay_id": make_replay(webhook).id}
        keep(app)
        key, secret = keys.issue(project=self.project)
        self.headers = {"Authorization": f"Bearer {keys.token(keys.identify(key.id, secret))}"}
        self.client = Client(headers=self.headers)

    def places(self, path: str) -> dict[str, str]:
        """What to put into the path: an event there may be one that a webhook was told."""
        return self.ids | (self.of_webhook if "/webhooks/" in path else {})


def talk(project: Project, app: App) -> dict[str, str]:
    """A contact whose number another one shares, with a message each way and an event."""
    contact, source = (make_contact(project, (Channel.SMS, NUMBER)) for _ in range(2))
    conversation = make_conversation(app, contact)
    reason = {"code": "UNKNOWN", "description": "", "sub_code": "UNSPECIFIED_SUB_CODE"}
    sent = make_message(conversation=conversation, status=Status.FAILED, status_at=NOW, reason=reason)
    content = {"text_message": {"text": "Thank you"}}
    make_message(conversation=conversation, direction=Direction.TO_APP, content=content)
    return {
        "contact_id": contact.id,
        "source_id": source.id,
        "conversation_id": conversation.id,
        "message_id": sent.id,
        "event_id": make_event(conversation).id,
    }


def told_of_something(app: App, webhook: Webhook) -> str:
    """An event that the webhook was to be told; its id."""
    about = About(accepted_time=NOW, event_time=NOW)
    publish(app=app, trigger=Trigger.OPT_OUT, payload={}, about=about)
    Webhook.objects.update(target_type=TargetType.HTTP)
    return str(webhook.attempts.get().event_id)


def held(app: App) -> str:
    """A hold on what is older than everything there, so that nothing is in the way of a deletion; its id."""
    placed = holding.place(
        project=app.project, scope=HoldScope.APP, app=app, accept_until=LONG_AGO, matter="Case 7", now=NOW
    )
    return str(placed.id)


def moments_ago() -> str:
    """Nothing may be injected that is old, or that is yet to come."""
    return timestamp(clock.now() - timedelta(minutes=1))


def keep(app: App) -> None:
    """Settings, a consent with its record, a justification and one that is owed."""
    ContactSettings.objects.create(project=app.project)
    listed = {"app": app, "channel": Channel.SMS, "identity": NUMBER, "list_type": ConsentList.OPT_OUT_ALL}
    Consent.objects.create(**listed)
    ConsentRecord.objects.create(
        **listed,
        origin=ConsentRecord.Origin.ORIGIN_MO,
        operation=ConsentRecord.Operation.OPERATION_INSERT,
        recorded_at=NOW,
    )
    keep_dispatched(app)
    changing.change(
        app=app,
        retention_type=PolicyType.MESSAGE_EXPIRE_POLICY,
        ttl_days=90,
        via=Via.API,
        author_key=KEY,
        now=NOW,
    )
