"""Destructive changes from the portal: the number is typed back, and some projects ask a second person."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from projects.models import App
from retention.deciding import approving, changing, ruling
from retention.deciding.approving import Confirmation, Decided, Lapsed, OwnRequest
from retention.models import ChangeRequest, Justification, RetentionPolicy
from tests.factories import make_app, make_conversation, make_event, make_message, make_project, make_user
from tests.retention.worlds import GROUND, MESSAGES, PERSIST, set_policy

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def four_eyes(now: datetime, db: None) -> App:
    """An app of a project that demands them, with 40 messages that are due after 30 days."""
    app = make_app(make_project(demands_four_eyes=True))
    for _ in range(40):
        make_message(app, accept_time=now - 60 * DAY)
    return app


@pytest.fixture
def anna(db: None) -> Any:
    return make_user(username="anna")


@pytest.fixture
def bernd(db: None) -> Any:
    return make_user(username="bernd")


def propose(app: App, author: Any, now: datetime, ttl_days: int = 30, **confirmation: int) -> Any:
    return approving.propose(
        app=app, retention_type=MESSAGES, ttl_days=ttl_days, author=author, ground=GROUND,
        confirmation=Confirmation(**confirmation), now=now,
    )  # fmt: skip


def refusal(app: App, author: Any, now: datetime, **confirmation: int) -> str:
    with pytest.raises(ValidationError) as refused:
        propose(app, author, now, **confirmation)
    assert list(refused.value.message_dict) == ["confirmed"]
    return str(refused.value.message_dict["confirmed"][0])


def asked(app: App, author: Any, now: datetime) -> ChangeRequest:
    request = propose(app, author, now, typed=40)
    assert isinstance(request, ChangeRequest)
    return request


def test_a_change_that_deletes_nothing_needs_no_number(four_eyes: App, anna: Any, now: datetime) -> None:
    version = propose(four_eyes, anna, now, ttl_days=365)

    assert isinstance(version, RetentionPolicy)
    assert version.effective_at == now


def test_the_number_that_becomes_due_is_typed_back(app: App, anna: Any, now: datetime) -> None:
    make_message(app, accept_time=now - 60 * DAY)

    assert "Type the number 1" in refusal(app, anna, now)
    assert "2 is not the number" in refusal(app, anna, now, typed=2)
    assert not Justification.objects.exists()
    assert propose(app, anna, now, typed=1).effective_at == now + DAY


def test_events_alone_are_confirmed_and_wait_too(app: App, anna: Any, now: datetime) -> None:
    make_event(make_conversation(app), accept_time=now - 60 * DAY)
    set_policy(app, PERSIST, now=now - 100 * DAY)

    assert refusal(app, anna, now).startswith("Events, or more than could be counted, become due")
    version = propose(app, anna, now, typed=0)

    assert (version.newly_due, version.effective_at) == (0, now + DAY)


@pytest.mark.parametrize(
    ("shown", "is_taken"), [(40, True), (42, True), (39, True), (35, False), (50, False)]
)
def test_a_number_that_has_moved_by_more_than_5_percent_is_asked_for_again(
    four_eyes: App, anna: Any, now: datetime, shown: int, is_taken: bool
) -> None:
    if is_taken:
        assert propose(four_eyes, anna, now, typed=shown, shown=shown)
    else:
        assert f"from {shown} to 40" in refusal(four_eyes, anna, now, typed=shown, shown=shown)


def test_where_four_eyes_are_demanded_the_change_waits_for_another_person(
    four_eyes: App, anna: Any, bernd: Any, now: datetime
) -> None:
    request = asked(four_eyes, anna, now)

    assert ruling.newest(app=four_eyes).is_default
    assert not Justification.objects.exists()
    version = approving.approve(request, approver=bernd, now=now + HOUR)

    request.refresh_from_db()
    assert (request.state, request.decided_by, request.version) == ("APPROVED", bernd, version)
    assert (version.author, version.ttl_days, version.effective_at) == (anna, 30, now + HOUR + DAY)
    assert version.justification
    assert version.justification.given_by == anna


def test_nobody_approves_their_own_change(four_eyes: App, anna: Any, now: datetime) -> None:
    request = asked(four_eyes, anna, now)

    with pytest.raises(OwnRequest):
        approving.approve(request, approver=anna, now=now)

    assert approving.is_alive(request, now=now)
    assert ruling.newest(app=four_eyes).is_default


def test_a_request_lapses_after_24_hours(four_eyes: App, anna: Any, bernd: Any, now: datetime) -> None:
    request = asked(four_eyes, anna, now)

    assert approving.is_alive(request, now=now + DAY - HOUR)
    with pytest.raises(Lapsed):
        approving.approve(request, approver=bernd, now=now + DAY)

    request.refresh_from_db()
    assert request.state == "LAPSED"
    assert ruling.newest(app=four_eyes).is_default


def test_a_request_lapses_when_the_policy_changes(
    four_eyes: App, anna: Any, bernd: Any, now: datetime
) -> None:
    request = asked(four_eyes, anna, now)
    set_policy(four_eyes, PERSIST, 30, now=now + HOUR)

    with pytest.raises(Lapsed):
        approving.approve(request, approver=bernd, now=now + 2 * HOUR)

    assert ruling.newest(app=four_eyes).retention_type == PERSIST


@pytest.mark.parametrize(("more", "is_made"), [(2, True), (3, False)])
def test_a_request_lapses_when_the_number_moves(
    four_eyes: App, anna: Any, bernd: Any, now: datetime, more: int, is_made: bool
) -> None:
    request = asked(four_eyes, anna, now)
    for _ in range(more):
        make_message(four_eyes, accept_time=now - 60 * DAY)

    if is_made:
        assert approving.approve(request, approver=bernd, now=now)
    else:
        with pytest.raises(Lapsed):
            approving.approve(request, approver=bernd, now=now)

    assert ruling.newest(app=four_eyes).is_default != is_made
    assert Justification.objects.exists() == is_made


def test_a_declined_or_withdrawn_request_changes_nothing(
    four_eyes: App, anna: Any, bernd: Any, now: datetime
) -> None:
    declined = asked(four_eyes, anna, now)
    approving.decline(declined, by=bernd, now=now)
    withdrawn = asked(four_eyes, anna, now)
    approving.decline(withdrawn, by=anna, now=now)

    with pytest.raises(Decided):
        approving.approve(declined, approver=bernd, now=now)

    states = ChangeRequest.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["DECLINED", "WITHDRAWN"]
    assert ruling.newest(app=four_eyes).is_default


def test_a_second_request_takes_the_place_of_the_first(
    four_eyes: App, anna: Any, bernd: Any, now: datetime
) -> None:
    first = asked(four_eyes, anna, now)

    second = asked(four_eyes, bernd, now + HOUR)

    first.refresh_from_db()
    assert (first.state, second.state) == ("LAPSED", "OPEN")


def test_the_database_refuses_what_no_request_may_become(
    four_eyes: App, anna: Any, bernd: Any, now: datetime
) -> None:
    request = asked(four_eyes, anna, now)
    version = set_policy(make_app(), MESSAGES, 30, now=now)
    rows = ChangeRequest.objects.filter(pk=request.pk)
    approved = {"state": "APPROVED", "decided_at": now, "version": version}

    for attack in (
        approved | {"decided_by": anna},  # by themselves
        approved | {"decided_by": bernd, "version": None},  # without a version
        {"ttl_days": 1},  # another policy than was asked for
        {"newly_due": 0},
        {"expires_at": now + 9 * DAY},
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**attack)
    approving.decline(request, by=bernd, now=now)
    for again in (lambda: rows.update(state="OPEN", decided_at=None), rows.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            again()


def test_a_change_that_waits_is_undone(app: App, anna: Any, now: datetime) -> None:
    make_message(app, accept_time=now - 60 * DAY)
    set_policy(app, MESSAGES, 365, now=now - DAY)
    set_policy(app, MESSAGES, 30, now=now)

    back = changing.undo(app=app, author=anna, now=now + HOUR)

    assert (back.ttl_days, back.author, back.effective_at) == (365, anna, now + HOUR)
    assert back.justification == RetentionPolicy.objects.get(number=1).justification
    assert ruling.in_force(app=app, at=now + 30 * DAY).ttl_days == 365


def test_a_change_that_is_in_force_is_not_undone(app: App, anna: Any, now: datetime) -> None:
    set_policy(app, MESSAGES, 30, now=now)

    with pytest.raises(changing.NothingWaits):
        changing.undo(app=app, author=anna, now=now)
