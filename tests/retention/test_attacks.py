"""The tables keep their word even when somebody writes SQL by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from projects import ids
from projects.models import App
from retention.models import Justification, OwedItem, Via
from retention.policies import Scope
from tests.factories import make_app
from tests.retention.worlds import MESSAGES, PERSIST, officer, set_policy

DAY = timedelta(days=1)
TEXT = "The contract with our customers asks for this retention period."

Row = dict[str, Any]


@pytest.fixture
def world(app: App, now: datetime) -> dict[str, Any]:
    """Ids to attack with: a justified policy of 30 days, and another app's, which owes its ground."""
    debtor = make_app()
    set_policy(app, MESSAGES, 30, now=now)
    set_policy(debtor, MESSAGES, 60, now=now, via=Via.API, ground=None)
    set_policy(debtor, MESSAGES, 5, now=now, scope=Scope.DISPATCH)
    ground, other_ground = Justification.objects.get(app=app), Justification.objects.get(app=debtor)
    return {
        "app": ids.to_uuid(app.id),
        "debtor": ids.to_uuid(debtor.id),
        "ground": ids.to_uuid(ground.id),
        "dispatch_ground": ids.to_uuid(other_ground.id),
        "owed": ids.to_uuid(OwedItem.objects.get().id),
        "officer": officer().pk,
        "now": now,
        "id": ids.to_uuid(ids.ulid()),
    }


def insert(table: str, row: Row) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        columns = ", ".join(row)
        values = ", ".join(["%s"] * len(row))
        cursor.execute(f"INSERT INTO {table} ({columns}) VALUES ({values})", list(row.values()))  # noqa: S608 -- our own tables
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def policy(world: dict[str, Any]) -> Row:
    """A second version of the app's policy, as good as the first."""
    return {
        "id": world["id"],
        "app_id": world["app"],
        "scope": "MESSAGES",
        "number": 2,
        "retention_type": MESSAGES,
        "ttl_days": 30,
        "via": "PORTAL",
        "author_id": world["officer"],
        "author_key": None,
        "created_at": world["now"],
        "effective_at": world["now"],
        "newly_due": 0,
        "justification_id": world["ground"],
        "owed_id": None,
    }


def ground(world: dict[str, Any]) -> Row:
    return {
        "id": world["id"],
        "app_id": world["app"],
        "scope": "MESSAGES",
        "retention_type": MESSAGES,
        "ttl_days": 30,
        "category": "CONTRACT",
        "reference": "",
        "text": TEXT,
        "given_via": "PORTAL",
        "given_by_id": world["officer"],
        "given_by_key": None,
        "created_at": world["now"],
    }


def debt(world: dict[str, Any]) -> Row:
    return {
        "id": world["id"],
        "app_id": world["app"],
        "scope": "MESSAGES",
        "retention_type": MESSAGES,
        "ttl_days": 30,
        "state": "OPEN",
        "justification_id": None,
        "account_manager_email": "",
        "opened_at": world["now"],
        "due_at": world["now"] + 14 * DAY,
        "closed_at": None,
        "reminders_sent": 0,
    }


MAKERS = {"retention_retentionpolicy": policy, "retention_justification": ground, "retention_oweditem": debt}
BY_API = {"via": "API", "author_id": None, "author_key": "id"}
ATTACKS: dict[str, tuple[str, dict[str, Any]]] = {
    "no ground": ("retention_retentionpolicy", {"justification_id": None}),
    "no ground by API": ("retention_retentionpolicy", {"justification_id": None, **BY_API}),
    "the ground of another ttl": ("retention_retentionpolicy", {"ttl_days": 3650}),
    "the ground of another type": ("retention_retentionpolicy", {"retention_type": PERSIST}),
    "the ground of another scope": ("retention_retentionpolicy", {"scope": "DISPATCH", "ttl_days": 5}),
    "the ground of another app": ("retention_retentionpolicy", {"app_id": "debtor"}),
    "a ground that is none": ("retention_retentionpolicy", {"justification_id": "id"}),
    "a debt that is none": (
        "retention_retentionpolicy",
        {"justification_id": None, "owed_id": "id", **BY_API},
    ),
    "the debt of another app": (
        "retention_retentionpolicy",
        {"justification_id": None, "owed_id": "owed", **BY_API, "ttl_days": 60},
    ),
    "the debt of another ttl": (
        "retention_retentionpolicy",
        {"app_id": "debtor", "justification_id": None, "owed_id": "owed", **BY_API, "ttl_days": 61},
    ),
    "both a ground and a debt": ("retention_retentionpolicy", {"owed_id": "owed", **BY_API}),
    "a debt in the portal": (
        "retention_retentionpolicy",
        {"app_id": "debtor", "justification_id": None, "owed_id": "owed", "ttl_days": 60},
    ),
    "a default that owes": (
        "retention_retentionpolicy",
        {"justification_id": None, "owed_id": "owed", **BY_API, "ttl_days": 180},
    ),
    "the system deviates": ("retention_retentionpolicy", {"via": "SYSTEM", "author_id": None}),
    "by nobody in the portal": ("retention_retentionpolicy", {"author_id": None}),
    "by a key in the portal": ("retention_retentionpolicy", {"author_key": "id"}),
    "by a person over the API": ("retention_retentionpolicy", {"via": "API"}),
    "by nobody over the API": ("retention_retentionpolicy", {"via": "API", "author_id": None}),
    "a ground of nobody": ("retention_justification", {"given_by_id": None}),
    "a ground of nobody over the API": (
        "retention_justification",
        {"given_via": "API", "given_by_id": None},
    ),
    "an unknown door": ("retention_retentionpolicy", {"via": "BACKDOOR"}),
    "ttl 0": ("retention_retentionpolicy", {"ttl_days": 0}),
    "ttl 3651": ("retention_retentionpolicy", {"ttl_days": 3651}),
    "ttl -1": ("retention_retentionpolicy", {"ttl_days": -1}),
    "dispatch 8": ("retention_retentionpolicy", {"scope": "DISPATCH", "ttl_days": 8}),
    "dispatch persists": (
        "retention_retentionpolicy",
        {"scope": "DISPATCH", "ttl_days": 5, "retention_type": PERSIST},
    ),
    "an unknown scope": ("retention_retentionpolicy", {"scope": "ALL"}),
    "effective before it is made": ("retention_retentionpolicy", {"effective_at": datetime(2000, 1, 1)}),  # noqa: DTZ001 -- long ago
    "a number twice": ("retention_retentionpolicy", {"number": 1}),
    "a number left out": ("retention_retentionpolicy", {"number": 3}),
    "a number before the first": ("retention_retentionpolicy", {"number": 0}),
    "made before the one that it follows": (
        "retention_retentionpolicy",
        {"created_at": datetime(2000, 1, 1, tzinfo=UTC), "effective_at": datetime(2000, 1, 2, tzinfo=UTC)},
    ),
    "deletes at once": ("retention_retentionpolicy", {"newly_due": 1}),
    "the debt of the version before": (
        "retention_retentionpolicy",
        {"app_id": "debtor", "justification_id": None, "owed_id": "owed", **BY_API, "ttl_days": 60},
    ),
    "39 characters": ("retention_justification", {"text": "x" * 39}),
    "39 characters and blanks": ("retention_justification", {"text": " \t" + "x" * 39 + "\n\u3000\u200b"}),
    "4001 characters": ("retention_justification", {"text": "x" * 4001}),
    "an unnamed obligation": ("retention_justification", {"category": "LEGAL_OBLIGATION"}),
    "a blank obligation": ("retention_justification", {"category": "LEGAL_OBLIGATION", "reference": " \n"}),
    "an unknown category": ("retention_justification", {"category": "BECAUSE"}),
    "a second open item": ("retention_oweditem", {"app_id": "debtor"}),
    "supplied by nothing": ("retention_oweditem", {"state": "SUPPLIED", "closed_at": "now"}),
    "supplied by what fits another": (
        "retention_oweditem",
        {"state": "SUPPLIED", "closed_at": "now", "ttl_days": 31, "justification_id": "ground"},
    ),
    "open with a ground": ("retention_oweditem", {"justification_id": "ground"}),
    "open and closed": ("retention_oweditem", {"closed_at": "now"}),
    "superseded at no moment": ("retention_oweditem", {"state": "SUPERSEDED"}),
    "an unknown state": ("retention_oweditem", {"state": "FORGOTTEN", "closed_at": "now"}),
    "due before it is owed": ("retention_oweditem", {"due_at": "now"}),
}


@pytest.mark.parametrize(("table", "change"), ATTACKS.values(), ids=ATTACKS.keys())
def test_a_row_that_breaks_a_rule_is_refused(
    world: dict[str, Any], table: str, change: dict[str, Any]
) -> None:
    meant = {
        column: world.get(value, value) if isinstance(value, str) else value
        for column, value in change.items()
    }

    with pytest.raises(DatabaseError):
        insert(table, MAKERS[table](world) | meant)


@pytest.mark.parametrize("table", MAKERS)
def test_the_row_that_is_attacked_with_is_good_in_itself(world: dict[str, Any], table: str) -> None:
    insert(table, MAKERS[table](world))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE retention_retentionpolicy SET ttl_days = 31",
        "UPDATE retention_retentionpolicy SET effective_at = effective_at - interval '1 day'",
        "UPDATE retention_retentionpolicy SET justification_id = NULL",
        "UPDATE retention_retentionpolicy SET newly_due = 0, number = number + 10",
        "DELETE FROM retention_retentionpolicy",
        "TRUNCATE retention_retentionpolicy CASCADE",
        "UPDATE retention_justification SET text = repeat('x', 50)",
        "UPDATE retention_justification SET ttl_days = 3650",
        "DELETE FROM retention_justification",
        "TRUNCATE retention_justification CASCADE",
        "DELETE FROM retention_oweditem",
        "TRUNCATE retention_oweditem CASCADE",
        "UPDATE retention_oweditem SET ttl_days = 180",
        "UPDATE retention_oweditem SET due_at = due_at + interval '1 year'",
        "UPDATE retention_oweditem SET state = 'SUPPLIED', closed_at = now()",
        "UPDATE retention_oweditem SET justification_id = (SELECT id FROM retention_justification LIMIT 1), "
        "state = 'SUPPLIED', closed_at = now()",
        "UPDATE retention_oweditem SET state = 'SUPERSEDED'",
        "UPDATE retention_oweditem SET state = 'SUPERSEDED', closed_at = now()",
        "UPDATE retention_oweditem SET account_manager_email = 'nobody@example.com'",
        "TRUNCATE retention_purgeoverride",
        "INSERT INTO retention_purgeoverride (why, moment, run_by, run_at) VALUES (' ', now(), 'me', now())",
        "DELETE FROM projects_app",
    ],
)
def test_history_cannot_be_rewritten(world: dict[str, Any], statement: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_closed_item_stays_closed(world: dict[str, Any], now: datetime) -> None:
    set_policy(App.objects.get(pk=world["debtor"]), MESSAGES, 180, now=now)
    reopen = "UPDATE retention_oweditem SET state = 'OPEN', closed_at = NULL"

    with (
        pytest.raises(DatabaseError, match="retention_oweditem"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(reopen)


def test_a_superseded_debt_lets_no_other_version_do_without_a_ground(
    world: dict[str, Any], now: datetime
) -> None:
    set_policy(App.objects.get(pk=world["debtor"]), MESSAGES, 180, now=now)
    again = {"app_id": world["debtor"], "number": 3, "ttl_days": 60, "justification_id": None}

    with pytest.raises(DatabaseError, match="retention_debt_is_of_one_version"):
        insert(
            "retention_retentionpolicy",
            policy(world) | again | {"owed_id": world["owed"], "via": "API", "author_id": None}
            | {"author_key": world["id"]},
        )  # fmt: skip


def test_reminders_may_be_counted(world: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE retention_oweditem SET reminders_sent = 1, last_reminder_at = now()")

    assert OwedItem.objects.get().reminders_sent == 1
