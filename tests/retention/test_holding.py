"""What a legal hold keeps, whoever asks: the policy, the purge, a client or the person who deleted the app."""

from __future__ import annotations

import random
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from contacts.models import Contact
from conversations import deleting, merging
from conversations.models import Conversation, ConversationEvent, Message
from conversations.visibility import Held
from projects.models import App
from retention import due, holding, purging
from retention.deleting import windows
from retention.models import HoldScope, PurgeBatch
from retention.policies import PolicyType
from tests.factories import (
    make_app,
    make_contact,
    make_conversation,
    make_event,
    make_message,
)
from tests.retention.worlds import CONVERSATIONS, MESSAGES, PERSIST, cover, hold, purge, rule

DAY = timedelta(days=1)


@pytest.mark.parametrize("retention_type", [MESSAGES, CONVERSATIONS])
@pytest.mark.parametrize("scope", HoldScope)
def test_what_is_held_stays_until_the_hold_is_released(
    app: App, message: Message, now: datetime, scope: HoldScope, retention_type: PolicyType
) -> None:
    rule(app, retention_type, 30, now=now)
    conversation = message.conversation
    assert conversation
    make_event(conversation, accept_time=message.accept_time)
    placed = hold(app, scope, now=now, **cover(scope, message))

    assert purge(now) == (0, 0)
    holding.release(placed, text="The case is closed.", now=now)
    assert purge(now) == (1, 1 if retention_type == CONVERSATIONS else 0)

    assert not ConversationEvent.objects.exists()


@pytest.mark.parametrize("scope", [HoldScope.APP, HoldScope.CONTACT, HoldScope.CONVERSATION])
def test_what_is_not_held_goes(app: App, message: Message, now: datetime, scope: HoldScope) -> None:
    other = make_app(app.project)
    make_message(other, accept_time=now - 400 * DAY)
    hold(app, scope, now=now, **cover(scope, message))

    assert purge(now) == (1, 0)

    assert Message.objects.get() == message


def test_a_contact_is_held_with_every_app_of_its_project(app: App, message: Message, now: datetime) -> None:
    assert message.conversation
    contact = message.conversation.contact
    make_message(conversation=make_conversation(make_app(app.project), contact), accept_time=now - 400 * DAY)
    hold(app, HoldScope.CONTACT, now=now, contact_id=contact and contact.id)

    assert purge(now) == (0, 0)


@pytest.mark.parametrize(
    ("age", "stays"), [(399, False), (400, False), (401, True), (402, True), (403, False)]
)
def test_a_period_begins_with_its_first_moment_and_ends_before_its_last(
    app: App, now: datetime, age: int, stays: bool
) -> None:
    hold(app, now=now, accept_from=now - 402 * DAY, accept_until=now - 400 * DAY)
    make_message(app, accept_time=now - age * DAY)

    purge(now)

    assert Message.objects.exists() is stays


# What a hold on the messages between 40 and 50 days ago does to a conversation that is due, with messages of these
# ages: which of them stay.
HELD_PERIOD = [
    (MESSAGES, False, [60, 45, 35], [45]),
    (CONVERSATIONS, False, [60, 45, 35], [60, 45, 35]),  # whole or not at all
    (CONVERSATIONS, False, [60, 35], None),
    (PERSIST, True, [60, 45, 35], [45]),  # a deleted app keeps what is held, and nothing beside it
    (CONVERSATIONS, True, [60, 45, 35], [45]),
    (CONVERSATIONS, True, [60, 35], None),
]


@pytest.mark.parametrize(("retention_type", "is_deleted", "ages", "left"), HELD_PERIOD)
def test_a_conversation_with_a_held_message_stays(
    app: App,
    now: datetime,
    retention_type: PolicyType,
    is_deleted: bool,
    ages: list[int],
    left: list[int] | None,
) -> None:
    rule(app, retention_type, 30, now=now)
    conversation = make_conversation(app)
    for age in ages:
        make_message(conversation=conversation, accept_time=now - age * DAY)
    placed = hold(app, now=now, accept_from=now - 50 * DAY, accept_until=now - 40 * DAY)
    App.objects.filter(pk=app.pk, pk__in=[app.pk] if is_deleted else []).update(deleted_at=now)

    purge(now)

    stored = Message.objects.order_by("accept_time").values_list("accept_time", flat=True)
    assert [(now - moment).days for moment in stored] == (left or [])
    assert Conversation.objects.exists() is (left is not None)

    holding.release(placed, text="The case is closed.", now=now)
    purge(now)

    assert not Message.objects.exists()


def test_a_held_event_keeps_its_conversation(app: App, now: datetime) -> None:
    rule(app, CONVERSATIONS, 30, now=now)
    conversation = make_conversation(app, created_at=now - 90 * DAY)
    make_event(conversation, accept_time=now - 45 * DAY)
    hold(app, now=now, accept_from=now - 50 * DAY, accept_until=now - 40 * DAY)

    assert purge(now) == (0, 0)
    assert ConversationEvent.objects.exists()


def test_the_conversation_of_a_held_message_knows_its_newest(app: App, now: datetime) -> None:
    rule(app, MESSAGES, 30, now=now)
    conversation = make_conversation(app)
    for age in (60, 45, 35):
        make_message(conversation=conversation, accept_time=now - age * DAY)
    hold(app, now=now, accept_from=now - 50 * DAY, accept_until=now - 40 * DAY)

    purge(now)

    conversation.refresh_from_db()
    assert conversation.newest_accept_time == now - 45 * DAY


def test_the_ledger_counts_what_a_hold_kept_in_the_window(app: App, now: datetime) -> None:
    held, goes = (make_message(app, accept_time=now - 400 * DAY) for _ in range(2))
    assert held.conversation
    hold(app, HoldScope.CONVERSATION, now=now, conversation_id=held.conversation.id)

    purge(now)

    row = PurgeBatch.objects.get()
    assert (row.messages, row.held, row.first_id) == (1, 1, goes.id)


def test_what_is_held_counts_neither_as_due_nor_as_late(app: App, message: Message, now: datetime) -> None:
    hold(app, now=now)

    parts = due.of(app, at=now)

    assert not any(part.count() for part in parts)
    assert {part.lag() for part in parts} == {None}


def test_nobody_deletes_what_is_held(app: App, message: Message, now: datetime) -> None:
    conversation = message.conversation
    assert conversation
    assert conversation.contact
    event = make_event(conversation)
    hold(app, HoldScope.CONTACT, now=now, contact_id=conversation.contact.id)

    for refused in (
        lambda: deleting.delete_message(message, by_key="", now=now),
        lambda: deleting.delete_event(event, by_key="", now=now),
        lambda: deleting.delete_conversation(conversation, by_key="", now=now),
        lambda: merging.delete_contact(conversation.contact, now=now),
        lambda: merging.merge_contacts(make_contact(app.project), conversation.contact, now=now),
    ):
        with pytest.raises(Held):
            refused()

    assert (Message.objects.count(), ConversationEvent.objects.count()) == (1, 1)
    assert Contact.objects.filter(pk=conversation.contact.pk).exists()


def test_what_is_merged_into_a_held_contact_is_held_too(app: App, message: Message, now: datetime) -> None:
    other = make_message(app, accept_time=now - 300 * DAY)
    assert message.conversation
    assert message.conversation.contact
    assert other.conversation
    assert other.conversation.contact
    hold(app, HoldScope.CONTACT, now=now, contact_id=message.conversation.contact.id)

    merging.merge_contacts(message.conversation.contact, other.conversation.contact, now=now)

    assert purge(now) == (0, 0)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("tries", [3, pytest.param(400, marks=pytest.mark.long)])
def test_a_hold_that_is_placed_during_a_run_loses_nothing_from_its_commit_on(
    committed: None, now: datetime, monkeypatch: Any, tries: int
) -> None:
    monkeypatch.setattr(windows, "TARGET_WHEN_LATE", 2)
    monkeypatch.setattr(purging, "DUTY", 1.0)
    chance = random.Random(7)
    for _ in range(tries):
        app = make_app()
        conversations = [make_conversation(app) for _ in range(8)]
        for conversation in conversations:
            for _ in range(3):
                make_message(conversation=conversation, accept_time=now - chance.randint(200, 400) * DAY)
        kept: set[str] = set()
        runner = threading.Thread(target=_run_and_close, args=(app, now))
        runner.start()
        threading.Event().wait(chance.random() * 0.05)
        named = chance.choice(conversations)
        hold(app, HoldScope.CONVERSATION, now=now, conversation_id=named.id)
        kept = set(Message.objects.filter(conversation=named).values_list("pk", flat=True))
        runner.join(timeout=30)

        left = set(Message.objects.filter(app=app).values_list("pk", flat=True))

        assert left == kept


def _run_and_close(app: App, now: datetime) -> None:
    purging.run(now=now, app=app)
    connection.close()
