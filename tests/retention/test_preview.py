"""What a preview says a policy would delete, and that the purge then deletes just that."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.backends.postgresql.base import DatabaseWrapper
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.models import Message
from projects.models import App
from retention import holding, preview, purging
from retention.deciding import changing
from retention.deciding.ruling import Policy
from retention.due import Count
from retention.models import HoldScope
from retention.policies import PolicyType, Scope
from retention.watching import Figure
from tests.factories import make_contact, make_conversation, make_message, make_project
from tests.retention.model import AnApp
from tests.retention.test_worlds import TTLS, Built, some_apps
from tests.retention.worlds import CONVERSATIONS, MESSAGES, PERSIST, rule, set_policy

DAY = timedelta(days=1)
WORLDS = int(os.environ.get("RETENTION_WORLDS", "120")) // 6


def seen(app: App, now: datetime, retention_type: PolicyType = MESSAGES, ttl_days: int = 30) -> Any:
    return preview.preview(changing.proposed(retention_type=retention_type, ttl_days=ttl_days), app, at=now)


def test_it_counts_what_is_due_now_and_what_will_be(app: App, now: datetime) -> None:
    for age in (29, 25, 24, 23, 1, 31, 200):
        make_message(app, accept_time=now - age * DAY)

    found = seen(app, now)

    assert found.cutoff == now - 30 * DAY
    assert found.present.messages == Figure(2)
    assert {days: amount.messages for days, amount in found.ahead.items()} == {7: Figure(5), 30: Figure(7)}
    assert (found.oldest, found.newest) == (now - 200 * DAY, now - 31 * DAY)


def test_it_names_channels_and_some_conversations(app: App, now: datetime) -> None:
    for channel, count in (("SMS", 1), ("WHATSAPP", 3)):
        for _ in range(count):
            make_message(app, accept_time=now - 40 * DAY, channel=channel)
    make_message(app, accept_time=now - DAY, channel="RCS")

    found = seen(app, now)

    assert found.channels == [("WHATSAPP", 3), ("SMS", 1)]
    assert len(found.sample) == 4
    assert all(conversation.app_id == app.pk for conversation in found.sample)


def test_whole_conversations_count_with_their_messages(app: App, now: datetime) -> None:
    old, young = make_conversation(app), make_conversation(app)
    for age in (100, 90):
        make_message(conversation=old, accept_time=now - age * DAY)
    for age in (100, 1):
        make_message(conversation=young, accept_time=now - age * DAY)

    found = seen(app, now, CONVERSATIONS)

    assert (found.present.messages, found.present.conversations) == (Figure(2), Figure(1))
    assert found.sample == [old]
    assert found.newest == now - 90 * DAY


def test_nothing_is_due_where_messages_are_kept_for_ever(app: App, now: datetime) -> None:
    make_message(app, accept_time=now - 4000 * DAY)

    found = seen(app, now, PERSIST)

    assert found.cutoff is None
    assert not found.present
    assert not found.newly
    assert not found.ahead[30]


@pytest.mark.parametrize(
    ("ruling", "proposed", "newly"),
    [
        ((MESSAGES, 60), (MESSAGES, 30), (1, 0)),
        ((MESSAGES, 30), (MESSAGES, 60), (0, 0)),
        ((MESSAGES, 60), (CONVERSATIONS, 30), (1, 1)),
        ((CONVERSATIONS, 30), (MESSAGES, 30), (1, 0)),
        ((PERSIST, 1), (MESSAGES, 60), (2, 0)),
        ((PERSIST, 1), (CONVERSATIONS, 30), (2, 1)),
        ((MESSAGES, 30), (PERSIST, 1), (0, 0)),
    ],
)
def test_newly_due_is_what_the_policy_in_force_would_leave(
    app: App, now: datetime, ruling: Any, proposed: Any, newly: tuple[int, int]
) -> None:
    old, living = make_conversation(app), make_conversation(app)
    for conversation, age in ((old, 70), (old, 45), (living, 80), (living, 2)):
        make_message(conversation=conversation, accept_time=now - age * DAY)
    rule(app, *ruling, now=now)

    found = seen(app, now, *proposed).newly

    assert (found.messages.number, found.conversations.number) == newly


@pytest.mark.parametrize(
    ("ruling", "proposed", "spared"),
    [
        ((MESSAGES, 30), (MESSAGES, 60), (1, 0)),
        ((MESSAGES, 60), (MESSAGES, 30), (0, 0)),
        ((CONVERSATIONS, 30), (MESSAGES, 60), (1, 1)),
        ((MESSAGES, 30), (CONVERSATIONS, 30), (1, 0)),
        ((MESSAGES, 60), (PERSIST, 1), (2, 0)),
        ((PERSIST, 1), (MESSAGES, 30), (0, 0)),
    ],
)
def test_what_is_due_already_and_would_be_kept_is_counted_too(
    app: App, now: datetime, ruling: Any, proposed: Any, spared: tuple[int, int]
) -> None:
    old, living = make_conversation(app), make_conversation(app)
    for conversation, age in ((old, 70), (old, 45), (living, 80), (living, 2)):
        make_message(conversation=conversation, accept_time=now - age * DAY)
    rule(app, *ruling, now=now)

    found = seen(app, now, *proposed).spared

    assert (found.messages.number, found.conversations.number) == spared


def test_it_counts_by_the_month_in_which_messages_were_accepted(app: App) -> None:
    for moment in (
        "2025-12-31T23:59:59",
        "2026-01-01T00:00:00",
        "2026-01-31T23:59:59",
        "2026-02-27T12:00:00",
    ):
        make_message(app, accept_time=datetime.fromisoformat(f"{moment}+00:00"))

    found = seen(app, datetime(2026, 4, 1, tzinfo=UTC))

    assert [(f"{month:%Y-%m}", number) for month, number in found.months] == [
        ("2025-12", 1),
        ("2026-01", 2),
        ("2026-02", 1),
    ]


def test_what_a_hold_keeps_is_counted_apart(app: App, now: datetime) -> None:
    held, free = make_conversation(app), make_conversation(app)
    for conversation in (held, free):
        make_message(conversation=conversation, accept_time=now - 40 * DAY)
    holding.place(
        project=app.project, scope=HoldScope.CONVERSATION, conversation_id=held.pk, matter="Case 7", now=now
    )

    found = seen(app, now)

    assert (found.present.messages, found.held.messages) == (Figure(1), Figure(1))


def test_when_the_time_is_over_it_says_at_least(somebody_else: DatabaseWrapper, now: datetime) -> None:
    message = make_message(accept_time=now - 40 * DAY)
    policy = changing.proposed(retention_type=MESSAGES, ttl_days=30)
    somebody_else.cursor().execute("LOCK TABLE conversations_message IN ACCESS EXCLUSIVE MODE")

    with transaction.atomic():
        found = preview.preview(policy, message.app, at=now, seconds=0.1)
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            limit = cursor.fetchone()

    assert str(found.present.messages) == "at least 0"
    assert found.newly  # who knows
    assert limit == ("0",)  # the caller's own is as it was


def test_a_change_whose_cost_is_unknown_waits_like_one_that_deletes(
    somebody_else: DatabaseWrapper, now: datetime
) -> None:
    app = make_message(accept_time=now - 40 * DAY).app
    somebody_else.cursor().execute("LOCK TABLE conversations_message IN ACCESS EXCLUSIVE MODE")

    version = set_policy(app, MESSAGES, 30, now=now)

    assert version
    assert version.effective_at == now + changing.GRACE


policies = st.tuples(st.sampled_from(list(PolicyType)), st.sampled_from(TTLS))
worlds = some_apps.map(lambda world: replace(world, versions=[], is_deleted=False))


def in_every_world(check: Callable[[AnApp, tuple[PolicyType, int]], None]) -> None:
    """The check, in worlds that can be thought of; what it writes is taken back."""

    @settings(
        max_examples=WORLDS,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(worlds, policies)
    def in_each(world: AnApp, policy: tuple[PolicyType, int]) -> None:
        with transaction.atomic():
            check(world, policy)
            transaction.set_rollback(True)

    in_each()


@pytest.mark.timeout(600)  # a world that fails is made smaller first
def test_the_purge_deletes_what_the_preview_said(db: None, now: datetime) -> None:
    contact = make_contact(make_project())

    def check(world: AnApp, proposed: tuple[PolicyType, int]) -> None:
        app = Built(world, contact, now).app
        found = seen(app, now, *proposed)
        dispatched = preview.preview(
            Policy(scope=Scope.DISPATCH, retention_type=MESSAGES, ttl_days=world.dispatch_ttl_days),
            app,
            at=now,
        )
        rule(app, *proposed, now=now)
        before = set(Message.objects.filter(app=app).values_list("pk", flat=True))

        purged = purging.run(now=now, app=app).apps.get(app.pk, Count())

        amount = found.present + dispatched.present
        gone = before - set(Message.objects.filter(app=app).values_list("pk", flat=True))
        assert amount.messages == Figure(purged.messages) == Figure(len(gone))
        assert amount.conversations == Figure(purged.conversations)

    in_every_world(check)


@pytest.mark.timeout(600)
def test_what_is_newly_due_is_the_difference_of_what_both_policies_delete(db: None, now: datetime) -> None:
    contact = make_contact(make_project())

    def check(world: AnApp, ruling: tuple[PolicyType, int]) -> None:
        app = Built(world, contact, now).app
        rule(app, *ruling, now=now)
        newly = seen(app, now, MESSAGES, 30).newly

        purging.run(now=now, app=app)

        assert newly.messages == seen(app, now, MESSAGES, 30).present.messages

    in_every_world(check)
