"""Events are kept no longer than messages are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from conversations.events import settling
from conversations.models import Conversation, ConversationEvent, Status
from projects.models import App, ProcessingMode
from retention import purging
from retention.deleting import windows
from tests.factories import make_conversation, make_event, make_message, make_webhook
from tests.retention.worlds import CONVERSATIONS, MESSAGES, PERSIST, rule
from webhooks.models import Event
from webhooks.publishing import publish
from webhooks.triggers import Trigger

TTL = timedelta(days=30)
TICK = timedelta(microseconds=1)


def kept(event: ConversationEvent) -> bool:
    return ConversationEvent.objects.filter(pk=event.pk).exists()


@pytest.mark.parametrize(("age", "stays"), [(TTL, True), (TTL + TICK, False)])
def test_an_event_goes_by_its_own_age_where_messages_do(
    app: App, now: datetime, age: timedelta, stays: bool
) -> None:
    rule(app, MESSAGES, 30, now=now)
    event = make_event(make_conversation(app), accept_time=now - age)

    purged = purging.run(now=now)

    assert kept(event) is stays
    assert (purged.messages, purged.conversations) == (0, 0)
    assert Conversation.objects.exists()


def test_an_event_goes_with_its_conversation_and_not_before(app: App, now: datetime) -> None:
    rule(app, CONVERSATIONS, 30, now=now)
    young, old = make_conversation(app), make_conversation(app, created_at=now - 9 * TTL)
    make_message(conversation=young, accept_time=now)
    stays = make_event(young, accept_time=now - 9 * TTL)
    goes = make_event(old, accept_time=now)

    purged = purging.run(now=now)

    assert (kept(stays), kept(goes)) == (True, False)
    assert purged.conversations == 1


def test_persisted_events_stay(app: App, now: datetime) -> None:
    rule(app, PERSIST, 1, now=now)
    event = make_event(make_conversation(app), accept_time=now - timedelta(days=5000))

    purging.run(now=now)

    assert kept(event)


@pytest.mark.parametrize(
    ("status", "age", "stays"),
    [
        (Status.DELIVERED, TICK, False),
        (Status.QUEUED_ON_CHANNEL, settling.AWAITED, True),
        (Status.QUEUED_ON_CHANNEL, settling.AWAITED + TICK, False),
        (Status.ACCEPTED, TICK, True),
    ],
)
def test_a_dispatched_event_goes_once_nothing_is_awaited_of_it(
    app: App, now: datetime, status: Status, age: timedelta, stays: bool
) -> None:
    event = make_event(app=app, accept_time=now - age, processing_mode=ProcessingMode.DISPATCH, status=status)

    purging.run(now=now)

    assert kept(event) is stays


def test_the_callbacks_about_an_event_go_with_it(app: App, now: datetime) -> None:
    make_webhook(app)
    event = make_event(make_conversation(app), accept_time=now - timedelta(days=181))
    publish(app=app, trigger=Trigger.EVENT_INBOUND, payload={}, about=settling.about(event, now))

    purging.run(now=now)

    assert not Event.objects.exists()


def test_a_deleted_app_keeps_no_events(app: App, now: datetime) -> None:
    make_event(make_conversation(app), accept_time=now)
    make_event(app=app, accept_time=now, processing_mode=ProcessingMode.DISPATCH)
    app.deleted_at = now
    app.save()

    purging.run(now=now)

    assert not ConversationEvent.objects.exists()


@pytest.mark.parametrize("retention_type", [MESSAGES, CONVERSATIONS])
def test_many_events_go_in_batches(
    app: App, now: datetime, retention_type: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "TARGET_WHEN_LATE", 2)
    rule(app, retention_type, 30, now=now)
    conversation = make_conversation(app, created_at=now - 2 * TTL)
    for _ in range(5):
        make_event(conversation, accept_time=now - 2 * TTL)

    purged = purging.run(now=now)

    assert not ConversationEvent.objects.exists()
    assert purged.apps[app.pk].events == 5


def test_a_dry_run_deletes_no_event(app: App, now: datetime) -> None:
    event = make_event(make_conversation(app), accept_time=now - timedelta(days=181))

    purged = purging.run(now=now, dry_run=True)

    assert kept(event)
    assert purged.apps[app.pk].events == 1


@pytest.mark.parametrize(("age", "metadata"), [(settling.AWAITED, "m"), (settling.AWAITED + TICK, "")])
def test_the_metadata_of_an_event_without_a_report_is_forgotten_after_two_days(
    app: App, now: datetime, age: timedelta, metadata: str
) -> None:
    event = make_event(
        make_conversation(app), accept_time=now - age, metadata="m", status=Status.QUEUED_ON_CHANNEL
    )

    settling.forget(now=now)

    event.refresh_from_db()
    assert event.metadata == metadata
