"""A conversation whose messages expire knows which is its newest, whatever happens between two batches."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db.backends.postgresql.base import DatabaseWrapper

from contacts.resolving import Identity
from conversations.hearing import injecting
from conversations.hearing.injecting import Past
from conversations.models import Conversation, Direction, Message
from gateway.channels.base import Channel
from projects import ids
from retention import holding, purging
from retention.deleting import batches
from retention.deleting.batches import Course
from retention.models import HoldScope, LegalHold
from tests.factories import make_app, make_conversation, make_message
from tests.retention.worlds import MESSAGES, rule

DAY = timedelta(days=1)
OLD, NEWEST = 20 * DAY, 10 * DAY  # the ages of its messages, of which all are due


@pytest.fixture
def talk(committed: None, now: datetime) -> Conversation:
    app = make_app()
    rule(app, MESSAGES, 1, now=now)
    conversation = make_conversation(app, stopped_at=now, newest_accept_time=now - NEWEST)
    for age in (OLD, NEWEST):
        make_message(conversation=conversation, accept_time=now - age)
    # Of another one: there is something to delete when all of ours is held.
    make_message(app, accept_time=now - OLD)
    return conversation


def after_the_old(talk: Conversation, now: datetime) -> Course:
    """A run that has deleted what is old."""
    batch = batches.purge(talk.app_id, Course(part=0, at=now, target=1))
    assert batch.course.since == now - OLD + timedelta(hours=1)
    return replace(batch.course, target=1)


def hold(talk: Conversation, *, accept_until: datetime | None = None) -> LegalHold:
    return holding.place(
        project=talk.project,
        scope=HoldScope.CONVERSATION,
        conversation_id=talk.pk,
        accept_until=accept_until,
        matter="Case 7",
        now=talk.created_at,
    )


def inject(talk: Conversation, accept_time: datetime, now: datetime) -> None:
    past = Past(
        direction=Direction.TO_APP,
        content={},
        accept_time=accept_time,
        identity=Identity(channel=Channel.SMS, identity="46700000001"),
    )
    injecting.inject(talk, past, now=now)


def ages(talk: Conversation, now: datetime) -> tuple[list[timedelta], timedelta | None]:
    """Of the messages that are left, and of the one that the conversation takes for its newest."""
    left = Message.objects.filter(conversation=talk).order_by("accept_time")
    newest = Conversation.objects.get(pk=talk.pk).newest_accept_time
    return [now - message.accept_time for message in left], now - newest if newest else None


def test_one_that_has_lost_all_has_none(talk: Conversation, now: datetime) -> None:
    batches.purge(talk.app_id, after_the_old(talk, now))

    assert ages(talk, now) == ([], None)


def test_what_came_behind_the_run_counts(talk: Conversation, now: datetime) -> None:
    course = after_the_old(talk, now)

    inject(talk, now - 25 * DAY, now)
    batches.purge(talk.app_id, course)

    assert ages(talk, now) == ([25 * DAY], 25 * DAY)


def test_what_is_held_for_some_time_counts(talk: Conversation, now: datetime) -> None:
    hold(talk, accept_until=now - 15 * DAY)

    batches.purge(talk.app_id, after_the_old(talk, now))

    assert ages(talk, now) == ([OLD], OLD)


def test_what_was_held_when_the_run_came_by_counts(talk: Conversation, now: datetime) -> None:
    placed = hold(talk)
    course = after_the_old(talk, now)

    holding.release(placed, text="It is settled.", now=placed.placed_at)
    batches.purge(talk.app_id, course)

    assert ages(talk, now) == ([OLD], OLD)


def test_what_was_locked_when_the_run_came_by_counts(
    talk: Conversation, somebody_else: DatabaseWrapper, now: datetime
) -> None:
    with somebody_else.cursor() as cursor:
        old = "SELECT 1 FROM conversations_message WHERE conversation_id = %s AND accept_time = %s"
        cursor.execute(f"{old} FOR UPDATE", [ids.to_uuid(talk.pk), now - OLD])
    course = after_the_old(talk, now)

    somebody_else.rollback()
    batches.purge(talk.app_id, course)

    assert ages(talk, now) == ([OLD], OLD)


def test_what_comes_while_a_batch_is_at_work_is_waited_for(
    talk: Conversation, somebody_else: DatabaseWrapper, now: datetime
) -> None:
    course = after_the_old(talk, now)
    with somebody_else.cursor() as cursor:
        cursor.execute("UPDATE conversations_conversation SET correlation_id = 'a message comes'")

    during = batches.purge(talk.app_id, course)
    somebody_else.commit()
    purging.run(now=now)

    assert not during.count
    assert ages(talk, now) == ([], None)
