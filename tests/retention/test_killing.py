"""A purge that is killed again and again leaves a ledger that tells exactly what is gone."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.db import connection

from conversations.deleting import ID_BYTES
from conversations.models import Conversation, Message
from projects.models import App
from retention import purging
from retention.deleting import batches
from retention.deleting.batches import Course
from retention.models import PurgeBatch
from retention.proving import verifying
from tests.factories import make_app, make_conversation, make_message, make_webhook
from tests.retention.worlds import CONVERSATIONS, rule
from webhooks.models import Event

PURGER = """
import sys
import django
django.setup()
from datetime import datetime
from django.db import connection
from retention import purging
from retention.deleting import windows
connection.settings_dict["NAME"] = sys.argv[1]
windows.TARGET_WHEN_LATE, purging.DUTY = 5, 1.0
print("ready", flush=True)
purging.run(now=datetime.fromisoformat(sys.argv[2]))
print("done", flush=True)
"""


def fill(app: App, now: datetime, *, messages: int) -> None:
    """Messages of a conversation each ten, all of them due."""
    chance = random.Random(messages)
    for _ in range(messages // 10):
        conversation = make_conversation(app, stopped_at=now)
        moments = [now - timedelta(days=181 + chance.random() * 30) for _ in range(10)]
        Message.objects.bulk_create(
            Message(
                project_id=app.project_id,
                app=app,
                conversation=conversation,
                direction="TO_APP",
                content={},
                accept_time=moment,
                processing_mode="CONVERSATION",
            )
            for moment in moments
        )
        Conversation.objects.filter(pk=conversation.pk).update(newest_accept_time=max(moments))


@contextmanager
def purger(now: datetime, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that begins to purge, in small batches and without a rest; it is killed in the end."""
    arguments = [sys.executable, "-c", PURGER, connection.settings_dict["NAME"], now.isoformat()]
    environment = os.environ | {"PYTHONPATH": os.curdir} | variables
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        yield process
        process.kill()


def killed_after(seconds: float, now: datetime) -> bool:
    """Start a purger and kill it at its work; whether it was killed before it was done."""
    with purger(now) as process:
        time.sleep(seconds)
        process.kill()
        assert process.stdout
        return b"done" not in process.stdout.read()


def told() -> list[bytes]:
    """The ids that the ledger names, as often as it does."""
    rows = PurgeBatch.objects.order_by("number").values_list("ids", flat=True)
    return [bytes(ids)[place : place + ID_BYTES] for ids in rows for place in range(0, len(ids), ID_BYTES)]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kills", [2, pytest.param(30, marks=pytest.mark.long)])
def test_the_ledger_is_exact_however_often_the_purge_is_killed(
    committed: None, now: datetime, kills: int
) -> None:
    app = make_app()
    fill(app, now, messages=400 * kills)
    stored = set(Message.objects.values_list("pk", flat=True))
    chance = random.Random(kills)

    deaths = sum(killed_after(0.02 + chance.random() * 0.2, now) for _ in range(kills))
    purging.run(now=now)

    assert deaths >= kills // 2
    messages = sum(PurgeBatch.objects.values_list("messages", flat=True))
    assert len(told()) == len(set(told())) == len(stored) == messages
    assert not Message.objects.exists()
    assert not verifying.verify().faults
    assert set(Conversation.objects.values_list("newest_accept_time", flat=True)) == {None}


@pytest.mark.parametrize(("listens", "waits"), [(False, "off"), (True, "on")])
def test_a_batch_waits_for_the_disk_if_it_tells_somebody(
    app: App, now: datetime, listens: bool, waits: str
) -> None:
    rule(app, CONVERSATIONS, 1, now=now)
    make_message(app, accept_time=now - timedelta(days=2))
    if listens:
        make_webhook(app, triggers=["CONVERSATION_DELETE"])

    batch = batches.purge(app.pk, Course(part=0, at=now))

    assert batch.count.conversations == 1
    assert Event.objects.filter(trigger="CONVERSATION_DELETE").exists() == listens
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == (waits,)
