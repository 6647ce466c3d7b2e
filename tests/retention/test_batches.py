"""The purge's transactions: small, and fair to whoever works on the same rows."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.backends.postgresql.base import DatabaseWrapper

from conversations import conversing
from conversations.models import Conversation, Message
from projects import ids
from projects.models import App
from retention import batches, purging
from tests.factories import make_app, make_conversation, make_message
from tests.retention.worlds import CONVERSATIONS, MESSAGES, PERSIST, rule, set_policy

DAY = timedelta(days=1)


def fill(app: App, number: int, *, accept_time: datetime, conversations: int = 1) -> None:
    """Many messages of one moment, spread over some conversations."""
    for _ in range(conversations):
        conversation = make_conversation(app, stopped_at=accept_time)
        message = make_message(conversation=conversation, accept_time=accept_time)
        Message.objects.bulk_create(
            Message(
                project_id=app.project_id,
                app=app,
                conversation=conversation,
                direction=message.direction,
                content={},
                accept_time=accept_time,
                processing_mode=message.processing_mode,
                status=message.status,
            )
            for _ in range(number // conversations - 1)
        )


def first_batch(app: App, now: datetime) -> batches.Batch:
    return batches.purge(app.pk, part=0, at=now, since=None)


@pytest.mark.parametrize("retention_type", [MESSAGES, CONVERSATIONS])
def test_a_batch_deletes_at_most_1000_messages_even_of_one_moment(
    app: App, now: datetime, retention_type: Any
) -> None:
    rule(app, retention_type, 1, now=now)
    fill(app, 2050, accept_time=now - 2 * DAY)

    sizes = [first_batch(app, now).count.messages for _ in range(4)]

    assert sizes == [1000, 1000, 50, 0]
    assert Conversation.objects.count() == (1 if retention_type == MESSAGES else 0)


def test_a_run_goes_on_until_nothing_is_left(app: App, now: datetime) -> None:
    rule(app, CONVERSATIONS, 1, now=now)
    fill(app, 2050, accept_time=now - 2 * DAY, conversations=205)

    purged = purging.run(now=now)

    assert (purged.messages, purged.conversations) == (2050, 205)
    assert not Message.objects.exists()


@pytest.mark.parametrize("retention_type", [MESSAGES, CONVERSATIONS])
def test_a_batch_of_many_asks_no_more_than_a_batch_of_one(
    app: App, now: datetime, django_assert_num_queries: Any, retention_type: Any
) -> None:
    rule(app, retention_type, 1, now=now)
    fill(app, 1, accept_time=now - 3 * DAY)
    with django_assert_num_queries(10 if retention_type == MESSAGES else 12):
        first_batch(app, now)

    fill(app, 900, accept_time=now - 2 * DAY, conversations=100)
    with django_assert_num_queries(10 if retention_type == MESSAGES else 12):
        first_batch(app, now)

    assert not Message.objects.exists()


def test_a_small_app_need_not_wait_for_a_large_one(app: App, now: datetime, monkeypatch: Any) -> None:
    monkeypatch.setattr(batches, "MESSAGES", 2)
    monkeypatch.setattr(purging, "QUOTA", 2)
    small = make_app()
    fill(app, 40, accept_time=now - 400 * DAY)
    fill(small, 1, accept_time=now - 300 * DAY)

    purged = purging.run(now=now)

    # The first round's four rows of the large one, the small one, and only then the rest.
    assert list(purged.apps) == [app.pk, small.pk]
    assert purged.messages == 41


def test_the_next_batch_honours_a_policy_that_was_changed_meanwhile(app: App, now: datetime) -> None:
    rule(app, MESSAGES, 1, now=now)
    fill(app, 1500, accept_time=now - 2 * DAY)
    assert first_batch(app, now).count.messages == 1000

    set_policy(app, PERSIST, 1, now=now)

    assert not first_batch(app, now).count
    assert Message.objects.count() == 500


def test_a_change_of_policy_waits_for_the_batch_and_a_message_does_not(
    somebody_else: DatabaseWrapper, now: datetime
) -> None:
    app = make_app()
    fill(app, 1, accept_time=now - 999 * DAY)
    row = "SELECT 1 FROM projects_app WHERE id = %s FOR {} NOWAIT"

    with transaction.atomic():
        first_batch(app, now)

        with somebody_else.cursor() as cursor:
            cursor.execute(row.format("KEY SHARE"), [ids.to_uuid(app.id)])  # as a foreign key's check does
        with pytest.raises(OperationalError, match="could not obtain lock"), somebody_else.cursor() as cursor:
            cursor.execute(row.format("NO KEY UPDATE"), [ids.to_uuid(app.id)])


@pytest.mark.parametrize("retention_type", [MESSAGES, CONVERSATIONS])
@pytest.mark.parametrize("table", ["conversations_message", "conversations_conversation"])
def test_what_somebody_else_holds_is_left_for_the_next_run(
    somebody_else: DatabaseWrapper, now: datetime, table: str, retention_type: Any
) -> None:
    app = make_app()
    rule(app, retention_type, 1, now=now)
    fill(app, 3, accept_time=now - 2 * DAY)
    with somebody_else.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {table} FOR UPDATE")  # noqa: S608 -- our own tables

    held = purging.run(now=now)
    somebody_else.rollback()
    free = purging.run(now=now)

    assert (held.messages, free.messages) == (0, 3)


def test_an_overriding_run_waits_until_it_can_have_everything(
    somebody_else: DatabaseWrapper, now: datetime
) -> None:
    app = make_app()
    fill(app, 3, accept_time=now - 999 * DAY)
    with somebody_else.cursor() as cursor:
        cursor.execute("SELECT 1 FROM conversations_message LIMIT 1 FOR UPDATE")
    release = threading.Timer(0.3, somebody_else.rollback)
    release.start()

    purged = purging.run(now=now, override="We want them gone.")
    release.join()

    assert purged.messages == 3


def test_one_purger_at_a_time_is_at_an_app(somebody_else: DatabaseWrapper, now: datetime) -> None:
    app = make_app()
    fill(app, 3, accept_time=now - 999 * DAY)
    with somebody_else.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('retention.purge ' || %s, 0))", [app.id]
        )

    assert purging.run(now=now).messages == 0
    somebody_else.rollback()
    assert purging.run(now=now).messages == 3


def test_a_message_that_came_first_saves_its_conversation(
    somebody_else: DatabaseWrapper, now: datetime
) -> None:
    app = make_app()
    rule(app, CONVERSATIONS, 1, now=now)
    fill(app, 3, accept_time=now - 2 * DAY)
    with somebody_else.cursor() as cursor:
        cursor.execute("UPDATE conversations_conversation SET newest_accept_time = %s", [now])

    during = purging.run(now=now)
    somebody_else.commit()
    after = purging.run(now=now)

    assert (during.messages, after.messages) == (0, 0)
    assert Message.objects.count() == 3


def test_a_message_that_came_second_starts_a_new_conversation(committed: None, now: datetime) -> None:
    app = make_app()
    rule(app, CONVERSATIONS, 1, now=now)
    old = make_message(app, accept_time=now - 2 * DAY).conversation
    assert old
    assert old.contact
    contact, new = old.contact, list[Conversation]()

    def write() -> None:
        with transaction.atomic():
            joined = conversing.join(app=app, contact=contact, accept_time=now, channel=None, now=now)
            make_message(conversation=joined, accept_time=now)
        new.append(joined)
        connection.close()

    writer = threading.Thread(target=write)
    with transaction.atomic():
        first_batch(app, now)
        writer.start()
        wait_until_somebody_waits()
    writer.join(timeout=10)

    assert new[0].pk != old.pk
    assert list(Conversation.objects.all()) == new
    assert Message.objects.get().conversation == new[0]


def wait_until_somebody_waits() -> None:
    """Until another connection is held up by this one."""
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("Nobody waits.")
