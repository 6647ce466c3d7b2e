"""What justifies a policy: given with the change, owed, or given later."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from projects.models import App
from retention.deciding import changing
from retention.deciding.changing import Giver, Ground
from retention.deciding.grounds import NothingOwed
from retention.models import Justification, OwedItem, Via
from retention.policies import Scope
from tests.factories import KEY, make_account, make_app, make_project
from tests.retention.worlds import GROUND, MESSAGES, refused, set_policy

DAY = timedelta(days=1)


def text_of(length: int) -> Ground:
    return Ground("CONTRACT", "", "x" * length)


@pytest.mark.parametrize("via", [Via.PORTAL, Via.SYSTEM])
def test_the_portal_refuses_a_deviation_without_a_ground(app: App, now: datetime, via: Via) -> None:
    assert "justification" in refused("text", app, now, MESSAGES, 30, via=via, ground=None)


def test_the_api_refuses_it_too_where_it_is_required(app: App, now: datetime, settings: Any) -> None:
    settings.RETENTION_API_JUSTIFICATION = "required"

    assert "justification" in refused("text", app, now, MESSAGES, 30, via=Via.API, ground=None)


def test_the_default_needs_no_ground(app: App, now: datetime) -> None:
    set_policy(app, MESSAGES, 30, now=now)

    back = set_policy(app, MESSAGES, 180, now=now, ground=None)

    assert back
    assert back.is_default
    assert back.justification is None


def test_by_api_a_missing_ground_is_owed_to_the_account_manager(now: datetime, db: None) -> None:
    account = make_account(manager_email="manager@example.com")
    app = make_app(make_project(account=account))

    version = set_policy(app, MESSAGES, 30, now=now, via=Via.API, ground=None)

    assert version
    assert version.owed
    assert version.owed.account_manager_email == "manager@example.com"
    assert (version.owed.state, version.owed.due_at) == ("OPEN", now + 14 * DAY)


def test_where_the_account_names_nobody_the_operator_is_asked(app: App, now: datetime, settings: Any) -> None:
    settings.ACCOUNT_MANAGER_EMAIL = "operator@example.com"

    set_policy(app, MESSAGES, 30, now=now, via=Via.API, ground=None)

    assert OwedItem.objects.get().account_manager_email == "operator@example.com"


def test_by_api_a_given_ground_leaves_no_debt(app: App, now: datetime) -> None:
    version = set_policy(app, MESSAGES, 30, now=now, via=Via.API)

    assert version
    assert version.justification
    assert not OwedItem.objects.exists()


@pytest.mark.parametrize("ttl_days", [180, 60])
def test_another_policy_supersedes_what_was_owed(app: App, now: datetime, ttl_days: int) -> None:
    set_policy(app, MESSAGES, 30, now=now, via=Via.API, ground=None)
    set_policy(app, MESSAGES, 5, now=now, via=Via.API, ground=None, scope=Scope.DISPATCH)

    set_policy(app, MESSAGES, ttl_days, now=now + DAY)

    item = OwedItem.objects.get(scope=Scope.MESSAGES)
    assert (item.state, item.closed_at) == ("SUPERSEDED", now + DAY)
    assert OwedItem.objects.get(scope=Scope.DISPATCH).state == "OPEN"


def test_a_ground_given_later_settles_what_is_owed(app: App, now: datetime) -> None:
    version = set_policy(app, MESSAGES, 30, now=now, via=Via.API, ground=None)
    assert version
    assert version.owed

    given = changing.settle(version.owed, GROUND, giver=Giver(via=Via.API, author_key=KEY), now=now + DAY)

    item = OwedItem.objects.get()
    assert (item.state, item.justification, item.closed_at) == ("SUPPLIED", given, now + DAY)
    with pytest.raises(NothingOwed):
        changing.settle(version.owed, GROUND, giver=Giver(via=Via.API, author_key=KEY), now=now + DAY)


def test_the_same_policy_sent_again_with_its_ground_settles_what_is_owed(app: App, now: datetime) -> None:
    set_policy(app, MESSAGES, 30, now=now, via=Via.API, ground=None)

    assert set_policy(app, MESSAGES, 30, now=now, via=Via.API) is None

    assert OwedItem.objects.get().state == "SUPPLIED"


@pytest.mark.parametrize("length", [40, 4000])
def test_a_justification_may_have_40_to_4000_characters(app: App, now: datetime, length: int) -> None:
    assert set_policy(app, MESSAGES, 30, now=now, ground=text_of(length))


@pytest.mark.parametrize(
    "text", ["x" * 39, "x" * 4001, "x" * 39 + " \n\u3000\u200b", " " * 50, "x" * 50 + "\0"]
)
def test_a_justification_of_another_length_is_refused(app: App, now: datetime, text: str) -> None:
    refused("text", app, now, MESSAGES, 30, ground=Ground("CONTRACT", "", text))


def test_a_justification_is_kept_without_the_space_around_it(app: App, now: datetime) -> None:
    set_policy(app, MESSAGES, 30, now=now, ground=Ground("CONTRACT", " § 7 ", f" \n{GROUND.text}\t"))

    given = Justification.objects.get()
    assert (given.text, given.reference) == (GROUND.text, "§ 7")


@pytest.mark.parametrize("reference", ["", " \t "])
def test_a_legal_obligation_is_named(app: App, now: datetime, reference: str) -> None:
    refused("reference", app, now, MESSAGES, 30, ground=Ground("LEGAL_OBLIGATION", reference, GROUND.text))
    assert set_policy(app, MESSAGES, 30, now=now, ground=Ground("LEGAL_OBLIGATION", "HGB § 257", GROUND.text))


def test_a_category_is_one_of_those_listed(app: App, now: datetime) -> None:
    refused("category", app, now, MESSAGES, 30, ground=Ground("BECAUSE", "", GROUND.text))


def test_the_next_review_lies_ahead(app: App, now: datetime) -> None:
    refused("review_on", app, now, MESSAGES, 30, ground=Ground("CONTRACT", "", GROUND.text, date(2026, 3, 1)))
    assert set_policy(
        app, MESSAGES, 30, now=now, ground=Ground("CONTRACT", "", GROUND.text, date(2026, 3, 2))
    )


def test_an_invalid_ground_is_refused_by_api_too(app: App, now: datetime) -> None:
    refused("text", app, now, MESSAGES, 30, via=Via.API, ground=text_of(39))
