"""What a legal hold keeps, whoever asks: the policy, the purge, a client or the person who deleted the app."""

from __future__ import annotations

import random
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection

from contacts.models import Contact
from conversations import deleting, merging
from conversations.models import Conversation, ConversationEvent, Message
from conversations.visibility import Held
from projects.models import App
from retention import due, holding, purging
from retention.deleting import windows
from retention.models import HoldScope, LegalHold, LegalHoldRelease, PurgeBatch
from retention.policies import PolicyType
from tests.factories import (
    api_client,
    make_app,
    make_contact,
    make_conversation,
    make_event,
    make_message,
    make_user,
)
from tests.retention.worlds import CONVERSATIONS, MESSAGES, PERSIST, purge, rule

DAY = timedelta(days=1)


def hold(app: App, scope: HoldScope = HoldScope.APP, *, now: datetime, **more: Any) -> LegalHold:
    if scope == HoldScope.APP:
        more["app"] = app
    return holding.place(project=app.project, scope=scope, matter="Case 7", now=now, **more)


@pytest.fixture
def message(app: App, now: datetime) -> Message:
    """Overdue, in a conversation."""
    return make_message(app, accept_time=now - 400 * DAY)


def cover(scope: HoldScope, message: Message) -> dict[str, Any]:
    conversation = message.conversation
    assert conversation
    if scope == HoldScope.CONTACT:
        return {"contact_id": conversation.contact_id}
    return {"conversation_id": conversation.id} if scope == HoldScope.CONVERSATION else {}


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
        lambda: deleting.delete_message(message),
        lambda: deleting.delete_event(event),
        lambda: deleting.delete_conversation(conversation, now=now),
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


def test_a_client_is_told_why(app: App, now: datetime) -> None:
    message = make_message(app, accept_time=now)
    hold(app, now=now)

    answer = api_client(app.project).delete(f"/v1/projects/{app.project_id}/messages/{message.id}")

    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "FAILED_PRECONDITION"
    assert "legal hold" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"matter": "  "}, "matter"),
        (
            {"scope": HoldScope.CONVERSATION, "conversation_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"},
            "conversation_id",
        ),
        ({"scope": HoldScope.CONTACT, "contact_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, "contact_id"),
        ({"scope": HoldScope.APP}, "__all__"),
        ({"accept_from": datetime(2026, 1, 1), "accept_until": datetime(2025, 1, 1)}, "__all__"),  # noqa: DTZ001
    ],
)
def test_a_hold_that_says_too_little_is_refused(
    app: App, now: datetime, more: dict[str, Any], field: str
) -> None:
    asked = {"scope": HoldScope.PROJECT, "matter": "Case 7"} | more
    moments = {name: asked[name].replace(tzinfo=now.tzinfo) for name in asked if name.startswith("accept")}

    with pytest.raises(ValidationError) as refusal:
        holding.place(project=app.project, **(asked | moments), now=now)

    assert list(refusal.value.message_dict) == [field]
    assert not LegalHold.objects.exists()


def test_a_stranger_cannot_be_held(app: App, message: Message, now: datetime) -> None:
    other = make_app()
    assert message.conversation

    for more in (
        {"app": app, "scope": HoldScope.APP},
        {"scope": HoldScope.CONTACT, **cover(HoldScope.CONTACT, message)},
    ):
        with pytest.raises(ValidationError):
            holding.place(project=other.project, matter="Case 7", now=now, **more)


def test_where_four_eyes_are_demanded_somebody_else_releases(app: App, now: datetime) -> None:
    app.project.demands_four_eyes = True
    app.project.save()
    one, other = make_user(app.project), make_user(app.project)
    placed = hold(app, now=now, by=one)

    for nobody_else in (one, None):
        with pytest.raises(ValidationError, match="four eyes"):
            holding.release(placed, text="Closed.", by=nobody_else, now=now)
    holding.release(placed, text="Closed.", by=other, now=now)
    with pytest.raises(ValidationError, match="already"):
        holding.release(placed, text="Closed.", by=other, now=now)

    assert LegalHoldRelease.objects.get().released_by == other
    assert not LegalHold.objects.active().exists()


@pytest.mark.parametrize("table", ["retention_legalhold", "retention_legalholdrelease"])
@pytest.mark.parametrize("attack", ["DELETE FROM {}", "UPDATE {} SET text = 'x'", "TRUNCATE {} CASCADE"])
def test_the_database_keeps_every_hold_as_it_was_placed(
    app: App, now: datetime, table: str, attack: str
) -> None:
    holding.release(hold(app, now=now), text="Closed.", now=now)

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match="pgtrigger: Cannot"):
            cursor.execute(attack.format(table))


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
