"""How a policy is changed, what it costs, and when it takes effect."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from projects.models import App
from retention import due
from retention.deciding import ruling
from retention.models import OwedItem, RetentionPolicy, Via
from retention.policies import Scope
from tests.factories import make_app, make_conversation, make_event, make_message
from tests.retention.worlds import CONVERSATIONS, GROUND, MESSAGES, PERSIST, refused, rule, set_policy

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


def test_an_app_without_a_version_is_ruled_by_the_default(app: App, now: datetime) -> None:
    policy = ruling.in_force(app=app, at=now)

    assert (policy.retention_type, policy.ttl_days, policy.number) == (MESSAGES, 180, 0)
    assert policy.is_default
    assert policy.cutoff(now) == now - 180 * DAY
    assert ruling.newest(app=app) == policy
    assert ruling.in_force(app=app, scope=Scope.DISPATCH, at=now).ttl_days == 0


def test_a_justified_change_takes_effect_at_once_when_nothing_is_newly_due(app: App, now: datetime) -> None:
    version = set_policy(app, CONVERSATIONS, 30, now=now)

    assert version
    assert version.justification
    assert version.justification.text == GROUND.text
    assert (version.number, version.effective_at, version.newly_due) == (1, now, 0)
    assert ruling.in_force(app=app, at=now).version_id == version.id


@pytest.mark.parametrize(
    ("retention_type", "ttl_days", "newly_due"),
    [(MESSAGES, 180, 0), (MESSAGES, 99, 2), (MESSAGES, 100, 1), (CONVERSATIONS, 99, 0), (PERSIST, 1, 0)],
)
def test_newly_due_is_counted_by_rows(
    app: App, now: datetime, retention_type: Any, ttl_days: int, newly_due: int
) -> None:
    conversation = make_conversation(app)
    for age in (1, 100, 101):
        make_message(conversation=conversation, accept_time=now - age * DAY)
    set_policy(app, PERSIST, 30, now=now)

    version = set_policy(app, retention_type, ttl_days, now=now)

    assert (version.newly_due if version else 0) == newly_due


def test_a_change_that_makes_conversations_newly_due_waits_too(app: App, now: datetime) -> None:
    make_conversation(app, created_at=now - 31 * DAY)

    version = set_policy(app, CONVERSATIONS, 30, now=now)

    assert version
    assert (version.newly_due, version.effective_at) == (1, now + DAY)


@pytest.mark.parametrize(
    ("before", "waits"),
    [((PERSIST, 30), True), ((CONVERSATIONS, 30), True), ((MESSAGES, 90), True), ((MESSAGES, 30), False)],
)
def test_a_change_that_makes_nothing_but_events_newly_due_waits_too(
    app: App, now: datetime, before: tuple[Any, int], waits: bool
) -> None:
    conversation = make_conversation(app)
    make_event(conversation, accept_time=now - 60 * DAY)
    make_message(conversation=conversation, accept_time=now)
    set_policy(app, *before, now=now - 100 * DAY)

    version = set_policy(app, MESSAGES, 31, now=now)

    assert version
    assert (version.newly_due, version.effective_at) == (0, now + DAY * waits)


def test_an_event_that_goes_with_its_conversation_already_is_not_newly_due(app: App, now: datetime) -> None:
    rule(app, CONVERSATIONS, 30, now=now)
    conversation = make_conversation(app)
    make_message(conversation=conversation, accept_time=now - 50 * DAY)
    make_event(conversation, accept_time=now - 49 * DAY)

    version = set_policy(app, MESSAGES, 30, now=now)

    assert version
    assert version.effective_at == now


def test_a_change_that_makes_something_due_is_shown_at_once_and_rules_after_24_hours(
    app: App, now: datetime
) -> None:
    make_message(app, accept_time=now - 60 * DAY)

    set_policy(app, MESSAGES, 30, now=now)

    assert ruling.newest(app=app).ttl_days == 30
    assert ruling.in_force(app=app, at=now + DAY - TICK).ttl_days == 180
    assert ruling.in_force(app=app, at=now + DAY).ttl_days == 30


def test_set_back_within_the_24_hours_it_never_takes_effect(app: App, now: datetime) -> None:
    make_message(app, accept_time=now - 60 * DAY)
    set_policy(app, MESSAGES, 30, now=now)

    back = set_policy(app, MESSAGES, 180, now=now + DAY / 2)

    assert back
    assert back.effective_at == now + DAY / 2
    assert {ruling.in_force(app=app, at=now + n * DAY).ttl_days for n in range(5)} == {180}


def test_replaced_while_it_waits_it_does_not_take_effect_before_its_successor_either(
    app: App, now: datetime
) -> None:
    make_message(app, accept_time=now - 60 * DAY)
    set_policy(app, MESSAGES, 1, now=now)

    milder = set_policy(app, MESSAGES, 50, now=now + DAY - TICK)

    assert milder
    assert milder.effective_at > now + DAY
    assert ruling.in_force(app=app, at=now + DAY).ttl_days == 180
    assert ruling.in_force(app=app, at=milder.effective_at).ttl_days == 50


def test_one_query_finds_the_policies_of_many_apps(
    app: App, now: datetime, django_assert_num_queries: Any
) -> None:
    apps = [app, make_app(), make_app()]
    set_policy(app, MESSAGES, 30, now=now)
    set_policy(apps[1], PERSIST, 1, now=now)
    set_policy(apps[1], MESSAGES, 7, now=now, scope=Scope.DISPATCH)

    with django_assert_num_queries(1):
        policies = ruling.in_force_of(apps, at=now)

    assert {key: policy.ttl_days for key, policy in policies.items() if not policy.is_default} == {
        (app.id, Scope.MESSAGES): 30,
        (apps[1].id, Scope.MESSAGES): 1,
        (apps[1].id, Scope.DISPATCH): 7,
    }


def test_the_same_policy_again_changes_nothing(app: App, now: datetime) -> None:
    assert set_policy(app, MESSAGES, 180, now=now) is None
    set_policy(app, MESSAGES, 30, now=now, via=Via.API, ground=None)

    assert set_policy(app, MESSAGES, 30, now=now, via=Via.API, ground=None) is None

    assert RetentionPolicy.objects.count() == OwedItem.objects.count() == 1


@pytest.mark.parametrize(("scope", "low", "high"), [(Scope.MESSAGES, 1, 3650), (Scope.DISPATCH, 0, 7)])
def test_the_ttl_has_two_bounds(app: App, now: datetime, scope: Scope, low: int, high: int) -> None:
    set_policy(app, MESSAGES, high, now=now, scope=scope)
    set_policy(app, MESSAGES, low, now=now, scope=scope)

    for ttl_days in (-1, low - 1, high + 1):
        refused("ttl_days", app, now, MESSAGES, ttl_days, scope=scope)


def test_a_policy_type_is_one_of_three(app: App, now: datetime) -> None:
    refused("retention_type", app, now, "FOREVER", 30)


@pytest.mark.parametrize("retention_type", [CONVERSATIONS, PERSIST])
def test_dispatched_messages_expire_by_their_own_age_alone(
    app: App, now: datetime, retention_type: Any
) -> None:
    refused("retention_type", app, now, retention_type, 7, scope=Scope.DISPATCH)


def test_a_ttl_has_no_effect_where_messages_persist(app: App, now: datetime) -> None:
    make_message(app, accept_time=now - 900 * DAY)

    version = set_policy(app, PERSIST, 1, now=now)

    assert version
    assert (version.newly_due, version.ttl_days) == (0, 1)
    assert ruling.in_force(app=app, at=now).cutoff(now) is None
    assert not any(part.count() for part in due.of(app, at=now))


def test_a_deleted_app_takes_no_new_policy(app: App, now: datetime) -> None:
    App.objects.filter(pk=app.pk).update(deleted_at=now)

    with pytest.raises(App.DoesNotExist):
        set_policy(app, MESSAGES, 30, now=now)


def test_a_change_whose_clock_was_read_before_the_last_one_is_numbered_and_dated_after_it(
    app: App, now: datetime
) -> None:
    set_policy(app, MESSAGES, 30, now=now)

    version = set_policy(app, MESSAGES, 60, now=now - TICK)

    assert version
    assert (version.number, version.created_at) == (2, now)
