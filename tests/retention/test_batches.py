"""The purge's transactions: small, and fair to whoever works on the same rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.models import Conversation, Message
from projects.models import App
from retention import holding, purging
from retention.deleting import batches, windows
from retention.models import HoldScope
from tests.factories import make_app, make_message
from tests.retention.worlds import CONVERSATIONS, MESSAGES, PERSIST, fill, first_batch, rule, set_policy

DAY = timedelta(days=1)


def test_a_batch_takes_a_window_of_time(app: App, now: datetime) -> None:
    rule(app, MESSAGES, 1, now=now)
    for hours in (49, 48.5, 48, 30):
        make_message(app, accept_time=now - timedelta(hours=hours))

    batch = first_batch(app, now, target=2)

    assert batch.count.messages == 2  # 49 hours old, and what came within the hour after
    assert batch.course.since == now - timedelta(hours=48)


def test_a_window_that_is_nearly_empty_is_widened_at_once(app: App, now: datetime) -> None:
    for days in (200, 300, 400, 2000):
        make_message(app, accept_time=now - days * DAY)

    batch = first_batch(app, now)

    assert batch.count.messages == 4
    assert batch.is_last


@pytest.mark.parametrize(
    ("retention_type", "sizes"), [(MESSAGES, [100, 350, 0]), (CONVERSATIONS, [100, 350, 0])]
)
def test_of_a_crowd_a_batch_takes_as_many_as_it_aims_at(
    app: App, now: datetime, retention_type: Any, sizes: list[int]
) -> None:
    rule(app, retention_type, 1, now=now)
    fill(app, 450, accept_time=now - 2 * DAY)

    taken = [first_batch(app, now, target=100).count.messages for _ in sizes]

    assert taken == sizes
    assert Conversation.objects.count() == (1 if retention_type == MESSAGES else 0)


def test_windows_grow_where_little_is_and_shrink_where_much_is(app: App, now: datetime) -> None:
    hour = timedelta(hours=1)

    assert windows.next_width(hour, taken=0, target=1000, seconds=0) == 4 * hour
    assert windows.next_width(hour, taken=500, target=1000, seconds=0) == 2 * hour
    assert windows.next_width(hour, taken=2000, target=1000, seconds=0) == hour / 2
    assert windows.next_width(hour, taken=99_000, target=1000, seconds=0) == hour / 4
    assert windows.next_width(hour, taken=500, target=1000, seconds=9) == hour / 2


def test_a_batch_is_slow_by_the_rows_it_aims_at() -> None:
    assert [windows.is_slow(0.11, target=target) for target in (1, 500, 1000, 5000)] == [
        True,
        True,
        True,
        False,
    ]
    assert windows.is_slow(0.51, target=5000)


def test_what_is_long_overdue_goes_in_larger_batches() -> None:
    assert windows.target(timedelta(hours=12)) == 500
    assert windows.target(timedelta(hours=13)) == 5000


def test_a_run_goes_on_until_nothing_is_left(app: App, now: datetime) -> None:
    rule(app, CONVERSATIONS, 1, now=now)
    fill(app, 2050, accept_time=now - 2 * DAY, conversations=205)

    purged = purging.run(now=now)

    assert (purged.messages, purged.conversations) == (2050, 205)
    assert not Message.objects.exists()


@pytest.mark.parametrize("retention_type", [MESSAGES, CONVERSATIONS])
def test_a_batch_of_many_asks_no_more_than_a_batch_of_one(
    app: App, now: datetime, django_assert_max_num_queries: Any, retention_type: Any
) -> None:
    rule(app, retention_type, 1, now=now)
    fill(app, 1, accept_time=now - 5 * DAY)
    course = replace(first_batch(app, now).course, since=None)  # begins the chain and the run
    fill(app, 1, accept_time=now - 3 * DAY)
    with CaptureQueriesContext(connection) as of_one:
        batches.purge(app.pk, course)

    fill(app, 900, accept_time=now - 2 * DAY, conversations=100)
    with django_assert_max_num_queries(len(of_one)):
        batches.purge(app.pk, course)

    assert len(of_one) <= 21
    assert not Message.objects.exists()


def test_a_small_app_need_not_wait_for_a_large_one(app: App, now: datetime, monkeypatch: Any) -> None:
    monkeypatch.setattr(windows, "TARGET_WHEN_LATE", 2)
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
    assert first_batch(app, now, target=300).count.messages == 300

    set_policy(app, PERSIST, 1, now=now)

    assert not first_batch(app, now).count
    assert Message.objects.count() == 1200


@pytest.mark.parametrize("scope", [HoldScope.PROJECT, HoldScope.APP])
def test_the_next_batch_of_a_run_honours_a_hold_that_was_placed_and_one_that_was_released(
    app: App, now: datetime, scope: HoldScope
) -> None:
    held_app = app if scope == HoldScope.APP else None
    fill(app, 300, accept_time=now - 400 * DAY)
    fill(app, 300, accept_time=now - 300 * DAY)
    begun = first_batch(app, now, target=200).course
    assert Message.objects.count() == 300

    placed = holding.place(project=app.project, scope=scope, app=held_app, matter="Case 7", now=now)
    held = batches.purge(app.pk, replace(begun, since=None))
    holding.release(placed, text="It is settled.", now=now)
    batches.purge(app.pk, replace(held.course, since=None))

    assert not held.count
    assert not Message.objects.exists()
