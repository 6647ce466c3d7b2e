"""What the purge takes and what it leaves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from contacts.models import Contact
from conversations.models import Conversation, Message, Status
from outbox import entries
from projects import clock, ids
from projects.models import App, ProcessingMode
from retention import purging
from retention.policies import Scope
from tests.factories import make_app, make_conversation, make_message, make_webhook
from tests.retention.worlds import (
    CONVERSATIONS,
    MESSAGES,
    PERSIST,
    orbit,
    purge,
    rule,
    satellites_left,
    set_policy,
)
from webhooks.models import Attempt, Event

TTL = timedelta(days=30)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("age", "stays"),
    [
        (TTL, True),
        (TTL + TICK, False),
        (TTL - TICK, True),
        (timedelta(days=-1), True),
        (timedelta(days=3650), False),
    ],
)
def test_a_message_goes_once_it_is_older_than_the_ttl(
    app: App, now: datetime, age: timedelta, stays: bool
) -> None:
    rule(app, MESSAGES, 30, now=now)
    message = make_message(app, accept_time=now - age)

    purge(now)

    assert Message.objects.filter(pk=message.pk).exists() is stays


@pytest.mark.parametrize("ttl_days", [1, 180, 3650])
def test_both_sides_of_the_ttl_hold_for_the_shortest_and_the_longest(
    app: App, now: datetime, ttl_days: int
) -> None:
    rule(app, MESSAGES, ttl_days, now=now)
    stays = make_message(app, accept_time=now - timedelta(days=ttl_days))
    make_message(app, accept_time=now - timedelta(days=ttl_days) - TICK)

    assert purge(now) == (1, 0)

    assert Message.objects.get() == stays


def test_an_app_without_a_policy_keeps_messages_for_180_days(app: App, now: datetime) -> None:
    stays = make_message(app, accept_time=now - timedelta(days=180))
    make_message(app, accept_time=now - timedelta(days=180) - TICK)

    assert purge(now) == (1, 0)

    assert Message.objects.get() == stays


def test_a_conversation_whose_messages_are_gone_stays_without_a_last_message(app: App, now: datetime) -> None:
    rule(app, MESSAGES, 30, now=now)
    conversation = make_conversation(app, created_at=now - 9 * TTL)
    make_message(conversation=conversation, accept_time=now - 2 * TTL)

    assert purge(now) == (1, 0)

    conversation.refresh_from_db()
    assert conversation.newest_accept_time is None
    assert conversation.last_received == clock.EPOCH
    assert conversation.expiry_anchor == now - 2 * TTL


def test_a_conversation_that_keeps_a_younger_message_keeps_its_last_message(app: App, now: datetime) -> None:
    rule(app, MESSAGES, 30, now=now)
    conversation = make_conversation(app)
    make_message(conversation=conversation, accept_time=now - 2 * TTL)
    make_message(conversation=conversation, accept_time=now - TTL)

    assert purge(now) == (1, 0)

    conversation.refresh_from_db()
    assert conversation.newest_accept_time == conversation.expiry_anchor == now - TTL


def test_an_old_last_message_takes_the_whole_conversation(app: App, now: datetime) -> None:
    rule(app, CONVERSATIONS, 30, now=now)
    goes, stays = make_conversation(app), make_conversation(app)
    for age in (3 * TTL, TTL + TICK):
        make_message(conversation=goes, accept_time=now - age)
    for age in (3 * TTL, TTL):
        make_message(conversation=stays, accept_time=now - age)

    assert purge(now) == (2, 1)

    assert Conversation.objects.get() == stays
    assert Message.objects.count() == 2


@pytest.mark.parametrize(
    ("created", "ever", "stays"),
    [
        (TTL, None, True),
        (TTL + TICK, None, False),
        (9 * TTL, TTL, True),
        (9 * TTL, TTL + TICK, False),
        (TTL, 9 * TTL, True),
    ],
)
def test_an_empty_conversation_is_as_old_as_its_creation_or_its_last_message_ever(
    app: App, now: datetime, created: timedelta, ever: timedelta | None, stays: bool
) -> None:
    rule(app, CONVERSATIONS, 30, now=now)
    newest_ever = now - ever if ever else None
    make_conversation(app, created_at=now - created, newest_ever_accept_time=newest_ever)

    assert purge(now) == (0, 0 if stays else 1)

    assert Conversation.objects.exists() is stays


@pytest.mark.parametrize("retention_type", [MESSAGES, PERSIST])
def test_an_empty_conversation_stays_where_conversations_do_not_expire(
    app: App, now: datetime, retention_type: Any
) -> None:
    rule(app, retention_type, 1, now=now)
    make_conversation(app, created_at=now - 9 * TTL)

    assert purge(now) == (0, 0)

    assert Conversation.objects.exists()


def test_what_persists_stays(app: App, now: datetime) -> None:
    rule(app, PERSIST, 1, now=now)
    make_message(app, accept_time=now - timedelta(days=9999))

    assert purge(now) == (0, 0)

    assert Message.objects.exists()


def test_a_deleted_app_keeps_nothing_whatever_its_policy(app: App, now: datetime) -> None:
    rule(app, PERSIST, 30, now=now)
    orbit(make_message(app, accept_time=now + TTL))
    make_conversation(app)
    make_message(app, accept_time=now, processing_mode=ProcessingMode.DISPATCH, status=Status.ACCEPTED)
    App.objects.filter(pk=app.pk).update(deleted_at=now)

    assert purge(now) == (2, 2)

    assert not Conversation.objects.exists()
    assert not Message.objects.exists()
    assert satellites_left() == 0


def test_contacts_are_no_part_of_it(app: App, now: datetime) -> None:
    rule(app, CONVERSATIONS, 1, now=now)
    make_message(app, accept_time=now - TTL)

    purge(now)

    assert Contact.objects.count() == 1


def test_an_app_has_its_own_policy(app: App, now: datetime) -> None:
    rule(app, MESSAGES, 30, now=now)
    make_message(app, accept_time=now - 2 * TTL)
    stays = make_message(make_app(), accept_time=now - 2 * TTL)

    purged = purging.run(now=now)

    assert list(purged.apps) == [app.pk]
    assert Message.objects.get() == stays


def test_a_purge_of_one_app_leaves_the_others_alone(app: App, now: datetime) -> None:
    make_message(app, accept_time=now - 9 * TTL)
    make_message(make_app(), accept_time=now - 9 * TTL)

    assert purge(now, app=app) == (1, 0)

    assert Message.objects.get().app != app


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.QUEUED_ON_CHANNEL, Status.SWITCHING_CHANNEL])
def test_a_dispatched_message_waits_for_its_receipt(app: App, now: datetime, status: Status) -> None:
    message = make_message(
        app, accept_time=now - TICK, processing_mode=ProcessingMode.DISPATCH, status=status
    )

    assert purge(now) == (0, 0)
    Message.objects.filter(pk=message.pk).update(status=Status.DELIVERED)
    assert purge(now) == (1, 0)


def test_a_dispatched_message_waits_for_the_callback_that_tells_of_it(app: App, now: datetime) -> None:
    message = make_message(app, accept_time=now - TICK, processing_mode=ProcessingMode.DISPATCH)
    event = Event.objects.create(app=app, message_id=message.id, accept_time=message.accept_time, body=b"{}")
    webhook = ids.to_uuid(make_webhook(app).id)
    entries.put("webhook", [(webhook, ids.to_uuid(event.id))])

    assert purge(now) == (0, 0)
    entries.close("webhook", webhook)
    assert purge(now) == (1, 0)


def test_dispatched_messages_have_a_policy_of_their_own(app: App, now: datetime) -> None:
    rule(app, MESSAGES, 1, now=now)
    rule(app, MESSAGES, 7, now=now, scope=Scope.DISPATCH)
    for age in (timedelta(days=7), timedelta(days=7) + TICK):
        make_message(app, accept_time=now - age, processing_mode=ProcessingMode.DISPATCH)

    assert purge(now) == (1, 0)


def test_an_expired_conversation_is_told_to_those_who_listen(app: App, now: datetime) -> None:
    rule(app, CONVERSATIONS, 30, now=now)
    make_webhook(app)
    conversation = make_conversation(app, correlation_id="order 7")
    make_message(conversation=conversation, accept_time=now - 2 * TTL)

    purge(now)

    event = Event.objects.get()
    assert event.trigger == "CONVERSATION_DELETE"
    assert conversation.id in bytes(event.body).decode()
    assert event.message_id is None


def test_an_expired_message_and_a_deleted_app_are_told_to_nobody(app: App, now: datetime) -> None:
    gone = make_app(deleted_at=now)
    for each in (app, gone):
        make_webhook(each)
        make_message(each, accept_time=now - 9 * TTL)

    assert purge(now) == (2, 1)

    assert not Event.objects.exists()
    assert not Attempt.objects.exists()


def test_a_second_purge_finds_nothing(app: App, now: datetime) -> None:
    make_message(app, accept_time=now - 9 * TTL)

    assert purge(now) == (1, 0)
    assert purge(now) == (0, 0)


def test_an_injected_message_that_is_too_old_already_goes_with_the_next_purge(
    app: App, now: datetime
) -> None:
    rule(app, MESSAGES, 1, now=now)
    make_message(app, accept_time=now - timedelta(days=2))
    purge(now)
    make_message(app, accept_time=now - timedelta(days=20), injected=True)

    assert purge(now) == (1, 0)


def test_a_waiting_policy_is_not_applied_before_its_time(app: App, now: datetime) -> None:
    make_message(app, accept_time=now - TTL)
    version = set_policy(app, MESSAGES, 1, now=now)
    assert version

    assert purge(version.effective_at - TICK) == (0, 0)
    assert purge(version.effective_at) == (1, 0)


@pytest.mark.parametrize(("seconds", "gone"), [(10, 1), (11, 0)])
def test_the_purge_waits_for_a_replica_that_is_behind(
    app: App, now: datetime, monkeypatch: pytest.MonkeyPatch, seconds: int, gone: int
) -> None:
    monkeypatch.setattr(purging, "REPLAY_LAG", f"SELECT interval '{seconds} seconds'")
    make_message(app, accept_time=now - timedelta(days=200))

    assert purge(now) == (gone, 0)
