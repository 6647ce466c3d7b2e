"""How late the purge is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from conversations.models import Status
from projects import clock
from projects.models import App, ProcessingMode
from retention import holding, measuring, purging
from retention.deleting import windows
from retention.models import HoldScope
from retention.tending import tallying
from tests.factories import make_app, make_conversation, make_event, make_message
from tests.retention.worlds import CONVERSATIONS, PERSIST, rule

DAY = timedelta(days=1)


def test_an_app_is_as_late_as_its_oldest_row_that_is_due(app: App, now: datetime) -> None:
    for age in (181, 183, 10):
        make_message(app, accept_time=now - age * DAY)
    talks, keeps, dispatches = (make_app(app.project) for _ in range(3))
    rule(talks, CONVERSATIONS, 30, now=now)
    make_message(conversation=make_conversation(talks), accept_time=now - 35 * DAY)
    rule(keeps, PERSIST, 30, now=now)
    make_message(keeps, accept_time=now - 999 * DAY)
    make_message(
        dispatches, accept_time=now - DAY, processing_mode=ProcessingMode.DISPATCH, status=Status.DELIVERED
    )
    make_event(make_conversation(dispatches), accept_time=now - 182 * DAY)
    deleted = make_app(deleted_at=now)
    make_message(deleted, accept_time=now - 7 * DAY)

    assert measuring.lags(App.objects.all(), at=now) == {
        app.id: 3 * DAY,
        talks.id: 5 * DAY,
        dispatches.id: 2 * DAY,
        deleted.id: 7 * DAY,
    }


def test_many_apps_ask_no_more_than_one(app: App, now: datetime, django_assert_max_num_queries: Any) -> None:
    for _ in range(9):
        make_message(make_app(app.project), accept_time=now - 200 * DAY)

    with django_assert_max_num_queries(7):
        assert len(measuring.lags(App.objects.all(), at=now)) == 9


def test_what_is_held_is_not_late(app: App, now: datetime) -> None:
    make_message(app, accept_time=now - 999 * DAY)
    holding.place(project=app.project, scope=HoldScope.APP, app=app, matter="Case 7", now=now)

    assert measuring.lags([app], at=now) == {}


def test_readiness_tells_of_a_purge_that_is_late(app: App, client: Any) -> None:
    def is_told() -> bool:
        return "retention" in client.get("/readyz").json()["degraded"]

    make_message(app, accept_time=clock.now() - 180 * DAY - timedelta(hours=23))
    assert not is_told()
    make_message(app, accept_time=clock.now() - 180 * DAY - timedelta(hours=25))
    assert is_told()


def test_the_pace_is_what_the_last_runs_deleted_in_their_time(
    app: App, now: datetime, monkeypatch: Any
) -> None:
    assert measuring.pace() is None

    for age in range(200, 260):
        make_message(app, accept_time=now - age * DAY)
    monkeypatch.setattr(windows, "TARGET_WHEN_LATE", 5)
    purging.run(now=now)

    pace = measuring.pace()
    assert pace
    assert 1 < pace < 60_000


def test_batches_and_what_holds_them_back_are_counted_over_all_runs(
    app: App, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "SLOW_SECONDS", 0.0)
    monkeypatch.setattr(windows, "SLOW_SECONDS_A_ROW", 0.0)
    for age in (200, 300):
        make_message(app, accept_time=now - age * DAY)
        purging.run(now=now)

    tallied = tallying.tallied()

    assert tallied.rows == 2
    assert tallied.batches()[-1] == ("+Inf", 2.0)
    assert 0 < tallied.seconds < 60
    assert tallied.brakes() == {"slow": 2, "failing": 0, "replica": 0, "clock": 0}


def test_a_clock_that_is_not_trusted_is_counted(app: App, now: datetime, time_machine: Any) -> None:
    time_machine.move_to(clock.now() + DAY)

    with pytest.raises(purging.ClocksDisagree):
        purging.run(now=now)

    assert tallying.tallied().brakes()["clock"] == 1
