"""Whom a justification that is owed is told to: at once, again, and at last those above."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.backends.postgresql.base import DatabaseWrapper

from outbox.models import Entry
from projects.models import App, Mail, Role
from retention.deciding import reminding
from retention.deciding.grounds import Giver, settle
from retention.models import OwedItem, RetentionPolicy, Via
from tests.factories import KEY, make_account, make_app, make_message, make_project, make_user
from tests.retention.worlds import GROUND, MESSAGES, PERSIST, set_policy

DAY = timedelta(days=1)


@pytest.fixture
def app(db: None) -> App:
    account = make_account(manager_email="manager@example.com")
    app = make_app(make_project(account=account), display_name="Bakery")
    make_user(app.project, Role.ADMIN, email="admin@example.com")
    make_user(app.project, Role.VIEWER, email="viewer@example.com")
    make_user(app.project, Role.ADMIN, email="gone@example.com", is_active=False)
    return app


def owe(app: App, now: datetime, ttl_days: int = 30) -> OwedItem:
    version = set_policy(app, MESSAGES, ttl_days, now=now, via=Via.API, ground=None)
    assert version
    assert version.owed
    return version.owed


def mails_at(*moments: datetime) -> list[int]:
    return [reminding.remind(now=moment) for moment in moments]


def test_a_change_by_api_without_a_ground_is_mailed(app: App, now: datetime) -> None:
    make_message(app, accept_time=now - 60 * DAY)

    item = owe(app, now)

    mail = Mail.objects.get()
    assert mail.recipients == ["manager@example.com", "admin@example.com"]
    assert mail.subject == "Justification owed: Bakery"
    for said in ("From: messages expire after 180 days", "To: messages expire after 30 days", "Newly due: 1",
                 "16 March 2026", f"/admin/retention/oweditem/{item.pk}/settle/"):  # fmt: skip
        assert said in mail.text
    assert Entry.objects.filter(lane__kind="mail").exists()


def test_a_change_with_its_ground_is_not_mailed(app: App, now: datetime) -> None:
    set_policy(app, MESSAGES, 30, now=now, via=Via.API)

    assert not Mail.objects.exists()


def test_where_nobody_is_known_the_mail_is_kept_for_the_inbox(now: datetime, db: None) -> None:
    owe(make_app(), now)

    assert Mail.objects.get().recipients == []


def test_reminders_come_after_3_7_and_14_days_and_then_every_week(app: App, now: datetime) -> None:
    owe(app, now)

    sent = {day for day in range(30) if reminding.remind(now=now + day * DAY)}

    assert sent == {3, 7, 14, 21, 28}
    assert mails_at(now + 29 * DAY) == [0]


def test_what_stays_unpaid_is_told_to_those_above(app: App, now: datetime, settings: Any) -> None:
    settings.ACCOUNT_MANAGER_EMAIL = "operator@example.com"
    make_user(is_superuser=True, email="root@example.com")
    owe(app, now)

    mails_at(now + 3 * DAY, now + 7 * DAY, now + 14 * DAY, now + 21 * DAY)

    *reminders, escalated = Mail.objects.order_by("created_at")[1:]
    assert {mail.subject for mail in reminders} == {"Reminder: justification owed for Bakery"}
    assert escalated.subject == "Overdue: justification owed for Bakery"
    assert set(escalated.recipients) - set(reminders[0].recipients) == {
        "operator@example.com",
        "root@example.com",
    }


def test_after_a_clock_that_stood_still_one_mail_comes_a_tick(app: App, now: datetime) -> None:
    item = owe(app, now)

    assert mails_at(*[now + 8 * DAY] * 3) == [1, 1, 0]

    item.refresh_from_db()
    assert (item.reminders_sent, item.last_reminder_at) == (2, now + 8 * DAY)


def test_nobody_is_reminded_of_what_is_settled_or_superseded_or_gone(app: App, now: datetime) -> None:
    settle(owe(app, now), GROUND, giver=Giver(via=Via.API, author_key=KEY), now=now)
    other = make_app(app.project)
    owe(other, now)
    set_policy(other, PERSIST, 30, now=now)
    gone = make_app(app.project)
    owe(gone, now)
    App.objects.filter(pk=gone.pk).update(deleted_at=now)

    assert mails_at(now + 5 * DAY) == [0]


@pytest.mark.parametrize(
    "table", ["projects_mail", "retention_oweditem", "retention_retentionpolicy", "outbox_entry"]
)
def test_policy_debt_and_mail_are_written_together_or_not_at_all(app: App, now: datetime, table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION fail_here() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'a fault'; END $$"
        )
        cursor.execute(f"CREATE TRIGGER fails BEFORE INSERT ON {table} EXECUTE FUNCTION fail_here()")

    with pytest.raises(DatabaseError), transaction.atomic():
        owe(app, now)

    assert not any(model.objects.exists() for model in (RetentionPolicy, OwedItem, Mail, Entry))


def test_of_a_change_that_is_killed_before_its_commit_nothing_is_left(
    somebody_else: DatabaseWrapper, now: datetime
) -> None:
    app = make_app()
    somebody_else.rollback()

    with pytest.raises(OperationalError), transaction.atomic():
        owe(app, now)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (victim,) = cursor.fetchone()
        somebody_else.cursor().execute("SELECT pg_terminate_backend(%s)", [victim])
        OwedItem.objects.count()
    connection.close()

    assert not any(model.objects.exists() for model in (RetentionPolicy, OwedItem, Mail, Entry))
