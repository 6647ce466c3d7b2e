"""A person who has left traces everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from contacts.models import Consent, ConsentRecord, Contact
from conversations.models import Direction
from gateway.channels.base import Channel
from projects.models import App, ProcessingMode
from tests.factories import (
    NOW,
    make_app,
    make_contact,
    make_conversation,
    make_event,
    make_message,
    make_webhook,
)
from webhooks.publishing import About, publish_in_project
from webhooks.triggers import Trigger

NUMBER = "46700000010"
CANARY = "the canary in the coal mine"


@pytest.fixture(autouse=True)
def record(settings: Any, tmp_path: Path) -> Path:
    """The record of erasures, and the key beside it, of this test alone."""
    settings.DATA_DIR = tmp_path
    settings.ERASURE_RECORD = tmp_path / "erasures.jsonl"
    return tmp_path / "erasures.jsonl"


@pytest.fixture
def app(db: None) -> App:
    return make_app()


@pytest.fixture
def person(app: App) -> Contact:
    """Talks with two apps, was dispatched to, opted out, and was told of to webhooks."""
    contact = make_contact(app.project, NUMBER, display_name=CANARY, email="canary@example.com")
    other = make_app(app.project)
    make_webhook(other, triggers=list(Trigger))
    for each in (app, other):
        leave_traces(each, contact)
    make_message(app, processing_mode=ProcessingMode.DISPATCH, identity=NUMBER, content=said())
    publish_in_project(
        project_id=app.project_id,
        trigger=Trigger.CONTACT_CREATE,
        payload={"contact": {"id": contact.pk, "display_name": CANARY}},
        about=About(accepted_time=NOW, event_time=NOW),
    )
    return contact


def leave_traces(app: App, contact: Contact) -> None:
    conversation = make_conversation(app, contact, metadata=CANARY)
    make_message(conversation=conversation, content=said())
    make_message(conversation=conversation, content=said(), direction=Direction.TO_APP)
    make_event(conversation)
    Consent.objects.create(app=app, channel=Channel.SANDBOX, identity=NUMBER, list_type="OPT_OUT_ALL")
    ConsentRecord.objects.create(
        app=app, channel=Channel.SANDBOX, identity=NUMBER, list_type="OPT_OUT_ALL", origin="ORIGIN_MO",
        operation="OPERATION_INSERT", recorded_at=NOW,
    )  # fmt: skip


def said() -> dict[str, Any]:
    return {"text_message": {"text": CANARY}}
