"""The mail of the day says what went and what needs looking after."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from conversations import merging
from projects import clock
from projects.models import App, Mail
from retention import purging
from retention.models import Via
from retention.proving import anchoring, summing
from retention.tending import checking
from tests.factories import make_app, make_contact, make_message
from tests.retention.worlds import MESSAGES, set_policy

DAY = timedelta(days=1)


def test_it_goes_with_the_anchor(app: App, settings: Any, tmp_path: Path) -> None:
    settings.LEDGER_ANCHORS = tmp_path
    now = clock.now()
    make_message(app, accept_time=now - 400 * DAY)
    merging.delete_contact(make_contact(app.project), now=now)
    purging.run(now=now)
    set_policy(app, MESSAGES, 30, now=now, via=Via.API, ground=None)
    make_message(app, accept_time=now - 182 * DAY)
    checking.check_now()

    anchoring.drop(now=clock.now())

    text = Mail.objects.get(about="ledger anchor").text
    for said in (
        "- older than the policy keeps it: 1 messages, 0 conversations, 0 events, 0 held; 1 rows of the ledger",
        f"- {app.display_name} ({app.id}): 1 messages",
        "Contacts deleted or merged: 1.",
        "- due and not deleted: for 152 days",
        "- justifications owed: 1, of which beyond their day: 0",
        "- the whole ledger: as it was written; 1 rows and 0 anchors",
    ):
        assert said in text


def test_what_went_before_is_of_another_day(app: App) -> None:
    make_message(app, accept_time=clock.now() - 400 * DAY)
    purging.run(now=clock.now())

    assert "Nothing was deleted" in summing.of_the_day(now=clock.now() + DAY + timedelta(minutes=1))


def test_of_many_apps_those_are_named_of_which_most_went(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summing, "NAMED", 1)
    now, other = clock.now(), make_app()
    for one, messages in ((app, 1), (other, 2)):
        for _ in range(messages):
            make_message(one, accept_time=now - 400 * DAY)
    purging.run(now=now)

    text = summing.of_the_day(now=clock.now())

    assert f"({other.id}): 2 messages" in text
    assert app.id not in text
    assert "- and 1 more" in text
