"""The purge by hand and by the clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from conversations.models import Message
from projects import clock
from projects.models import App
from retention import purging, tasks
from retention.models import PurgeOverride
from tests.factories import make_app, make_conversation, make_message
from tests.retention.worlds import CONVERSATIONS, MESSAGES, rule, set_policy

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
NOTHING = {"messages": 0, "conversations": 0, "apps": {}}


@pytest.fixture
def purge(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command with --json; what stood on stdout."""

    def run(*arguments: str) -> Any:
        capsys.readouterr()
        call_command("purge", "--json", *arguments)
        return json.loads(capsys.readouterr().out)

    return run


def stamp(moment: datetime) -> str:
    return moment.isoformat()


def test_it_tells_what_went_as_one_json_object(app: App, purge: Any) -> None:
    other = make_app()
    rule(other, CONVERSATIONS, 30, now=clock.now())
    make_message(app, accept_time=clock.now() - 200 * DAY)
    conversation = make_conversation(other, created_at=clock.now() - 99 * DAY)
    for age in (50, 60):
        make_message(conversation=conversation, accept_time=clock.now() - age * DAY)

    assert purge() == {
        "messages": 3,
        "conversations": 1,
        "apps": {
            app.id: {"messages": 1, "conversations": 0},
            other.id: {"messages": 2, "conversations": 1},
        },
    }
    assert purge() == NOTHING


def test_it_tells_people_in_words(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    make_message(app, accept_time=clock.now() - 200 * DAY)

    call_command("purge", "--dry-run")
    call_command("purge")

    out = capsys.readouterr().out
    assert "Would delete 1 messages and 0 conversations." in out
    assert "Deleted 1 messages and 0 conversations." in out


def test_one_app_alone(app: App, purge: Any) -> None:
    for each in (app, make_app()):
        make_message(each, accept_time=clock.now() - 200 * DAY)

    assert list(purge("--app", app.id)["apps"]) == [app.id]
    assert Message.objects.count() == 1


def test_the_moment_is_taken_to_the_microsecond(app: App, purge: Any) -> None:
    moment = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
    make_message(app, accept_time=moment - 180 * DAY)

    assert purge("--now", stamp(moment)) == NOTHING
    assert purge("--now", "2026-03-02T13:00:00.123457+01:00")["messages"] == 1


def test_a_dry_run_looks_ahead_and_deletes_nothing(app: App, purge: Any) -> None:
    make_message(app, accept_time=clock.now())

    seen = purge("--dry-run", "--now", stamp(clock.now() + 181 * DAY))

    assert seen["messages"] == 1
    assert Message.objects.exists()
    assert not PurgeOverride.objects.exists()


@pytest.mark.parametrize("override", ["", "  "])
def test_a_time_that_has_not_come_deletes_nothing_without_a_reason(
    app: App, purge: Any, override: str
) -> None:
    make_message(app, accept_time=clock.now())

    with pytest.raises(CommandError, match=r"has not come.*--dry-run"):
        purge("--now", stamp(clock.now() + 181 * DAY), "--override", override)

    assert Message.objects.exists()


def test_with_a_reason_it_deletes_and_the_reason_is_recorded(app: App, purge: Any) -> None:
    message = make_message(app, accept_time=clock.now())
    moment = message.accept_time + 180 * DAY

    assert purge("--now", stamp(moment), "--override", "drill") == NOTHING
    assert purge("--now", stamp(moment + TICK), "--override", " drill ", "--app", app.id)["messages"] == 1

    last = PurgeOverride.objects.order_by("pk").last()
    assert last
    assert (last.why, last.moment, last.app) == ("drill", moment + TICK, app)
    assert last.run_by


def test_it_applies_the_policy_that_is_effective_at_the_moment(app: App, purge: Any) -> None:
    now = clock.now()
    make_message(app, accept_time=now - 60 * DAY)
    set_policy(app, MESSAGES, 30, now=now)

    assert purge("--now", stamp(now + DAY - TICK), "--override", "drill") == NOTHING
    assert purge("--now", stamp(now + DAY), "--override", "drill")["messages"] == 1


@pytest.mark.parametrize(
    "moment",
    [
        "2026-03-02T12:00:00",
        "2026-03-02",
        "yesterday",
        "",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_a_moment_that_is_none_is_refused_in_one_sentence(db: None, purge: Any, moment: str) -> None:
    with pytest.raises(CommandError, match="UTC offset"):
        purge("--now", moment)


@pytest.mark.parametrize("app_id", ["", "nobody", "01ARZ3NDEKTSV4RRFFQ69G5FAV"])
def test_an_app_that_is_none_is_refused(db: None, purge: Any, app_id: str) -> None:
    with pytest.raises(CommandError, match="no app"):
        purge("--app", app_id)


def test_the_clock_deletes_what_the_command_would(app: App, purge: Any) -> None:
    for age in (1, 200, 300):
        make_message(app, accept_time=clock.now() - age * DAY)
    foreseen = purge("--dry-run")

    tasks.purge_due()

    assert foreseen["messages"] == 2
    assert Message.objects.count() == 1
    assert tasks.purge_due.name == "retention.tasks.purge_due"


@pytest.mark.parametrize("jump", [timedelta(seconds=90), timedelta(seconds=-90)])
def test_when_a_clock_has_jumped_nothing_is_deleted(app: App, jump: timedelta) -> None:
    make_message(app, accept_time=clock.now() - 200 * DAY)

    with time_machine.travel(clock.now() + jump), pytest.raises(purging.ClocksDisagree):
        purging.run(now=clock.now())

    assert Message.objects.exists()
