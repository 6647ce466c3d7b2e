"""The purge beside others who want the same rows: each waits for the other no longer than it must."""

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
from retention import purging
from retention.models import PurgeHead
from tests.factories import make_app, make_message
from tests.retention.worlds import CONVERSATIONS, MESSAGES, fill, first_batch, rule

DAY = timedelta(days=1)


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
    PurgeHead.objects.create(app=app)
    with somebody_else.cursor() as cursor:
        cursor.execute("SELECT 1 FROM retention_purgehead FOR UPDATE")

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
