"""The purge ledger: every deletion is on record."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest

from conversations.models import Message, Receipt
from projects import ids
from projects.models import App
from retention import purging
from retention.deleting import batches, windows
from retention.deleting.batches import Course
from retention.models import Purge, PurgeBatch
from retention.proving import verifying
from tests.factories import make_conversation, make_event, make_message
from tests.retention.worlds import CONVERSATIONS, MESSAGES, rule, set_policy

DAY = timedelta(days=1)


def chain(app: App) -> list[PurgeBatch]:
    return list(PurgeBatch.objects.filter(app=app).order_by("number"))


def digest_of(*rows: Any) -> bytes:
    return hashlib.sha256(b"".join(sorted(ids.to_uuid(row.id).bytes for row in rows))).digest()


def test_what_goes_is_on_record_with_the_policy_that_let_it_go(
    app: App, now: datetime, small_batches: None
) -> None:
    version = set_policy(app, MESSAGES, 30, now=now - 90 * DAY)
    messages = [make_message(app, accept_time=now - age * DAY) for age in (40, 40, 31)]
    Receipt.objects.create(
        app=app,
        message_id=messages[0].id,
        accept_time=messages[0].accept_time,
        occurred_at=now,
        status="READ",
    )
    make_message(app, accept_time=now - 20 * DAY)

    purging.run(now=now)

    first, second = chain(app)
    assert (first.number, first.messages, first.conversations, first.events) == (1, 2, 0, 0)
    assert first.satellites == {"conversations_receipt": 1}
    assert bytes(first.digest) == digest_of(*messages[:2])
    assert bytes(second.digest) == digest_of(messages[2])
    assert bytes(second.previous_hash) == bytes(first.own_hash)
    assert first.cutoff == now - 30 * DAY
    purge = Purge.objects.get()
    assert (purge.policy, purge.ttl_days, purge.state, purge.moment) == (version, 30, "FINISHED", now)


def test_a_conversation_is_on_record_with_its_messages_and_events(app: App, now: datetime) -> None:
    rule(app, CONVERSATIONS, 30, now=now)
    conversation = make_conversation(app)
    message = make_message(conversation=conversation, accept_time=now - 50 * DAY)
    event = make_event(conversation, accept_time=now - 49 * DAY)

    purging.run(now=now)

    (row,) = chain(app)
    assert (row.messages, row.conversations, row.events) == (1, 1, 1)
    assert bytes(row.digest) == digest_of(message, conversation, event)


def test_a_run_without_anything_due_writes_nothing(app: App, now: datetime) -> None:
    make_message(app, accept_time=now)

    purging.run(now=now)

    assert not PurgeBatch.objects.exists()
    assert not Purge.objects.exists()


def test_a_deleted_app_has_a_run_without_a_policy(app: App, now: datetime) -> None:
    make_message(app, accept_time=now)
    App.objects.filter(pk=app.pk).update(deleted_at=now)

    purging.run(now=now)

    purge = Purge.objects.get()
    assert (purge.kind, purge.policy, purge.ttl_days) == ("REMOVAL", None, None)


def test_an_override_is_part_of_the_record(app: App, now: datetime) -> None:
    make_message(app, accept_time=now)

    purging.run(now=now + 999 * DAY, override="A drill.")

    override = Purge.objects.get().override
    assert override
    assert override.why == "A drill."


def test_a_change_of_policy_ends_the_run_and_begins_another(app: App, now: datetime) -> None:
    rule(app, MESSAGES, 30, now=now)
    for age in (40, 50):
        make_message(app, accept_time=now - age * DAY)
    course = batches.purge(app.pk, Course(part=0, at=now, target=1)).course
    set_policy(app, MESSAGES, 31, now=now)

    batches.purge(app.pk, course)

    assert list(Purge.objects.order_by("id").values_list("ttl_days", "state")) == [
        (30, "SUPERSEDED"),
        (31, "RUNNING"),
    ]


def test_a_run_that_died_is_closed_by_the_next(app: App, now: datetime) -> None:
    for age in (200, 300):
        make_message(app, accept_time=now - age * DAY)
    batches.purge(app.pk, Course(part=0, at=now, target=1))

    purging.run(now=now)

    assert list(Purge.objects.order_by("id").values_list("state", flat=True)) == ["INTERRUPTED", "FINISHED"]
    assert not verifying.verify().faults


def test_a_batch_that_fails_leaves_neither_a_gap_nor_a_row(app: App, now: datetime, monkeypatch: Any) -> None:
    make_message(app, accept_time=now - 200 * DAY)
    monkeypatch.setattr(windows, "next_width", lambda *_, **__: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        batches.purge(app.pk, Course(part=0, at=now))

    assert Message.objects.exists()
    assert not PurgeBatch.objects.exists()
