"""Events and attempts by day: made ahead, dropped when old, and never in the way of a delivery."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from projects import clock, ids
from tests.factories import make_app, make_webhook
from webhooks.ageing import forgetting, partitioning
from webhooks.ageing.partitioning import ATTEMPTS, EVENTS
from webhooks.models import Attempt, Event
from webhooks.tasks import prepare_partitions
from webhooks.triggers import Trigger

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
KEPT = pytest.mark.parametrize(
    ("table", "kept"), [(EVENTS, timedelta(days=14)), (ATTEMPTS, timedelta(days=30))]
)


def midnight(days: int = 0) -> datetime:
    """The beginning of today, or of another day."""
    return clock.now().replace(hour=0, minute=0, second=0, microsecond=0) + days * DAY


def make_row(app, table: partitioning.Partitioned, at: datetime) -> Any:
    """An event or an attempt of that moment."""
    if table is EVENTS:
        id_ = ids.from_uuid(table.bound(at))  # type: ignore[arg-type]  # of events it is an id
        return Event.objects.create(
            id=id_, app=app, trigger=Trigger.OPT_IN, body=b"{}", accept_time=at, created_at=at
        )
    webhook = app.webhooks.first() or make_webhook(app)
    return Attempt.objects.create(
        app=app, event_id=ids.ulid(), webhook=webhook, accept_time=at, number=1,
        result=Attempt.Result.DELIVERED, started_at=at,
    )  # fmt: skip


def home(row: Any) -> str:
    """The table in which it stands."""
    with connection.cursor() as cursor:
        table = row._meta.db_table
        key = row.pk if table == ATTEMPTS.name else ids.to_uuid(row.pk)
        cursor.execute(f"SELECT tableoid::regclass::text FROM {table} WHERE id = %s", [key])  # noqa: S608 - our tables
        return str(cursor.fetchone()[0])


@pytest.mark.parametrize("table", [EVENTS, ATTEMPTS])
def test_each_row_stands_in_the_table_of_its_day(app, table):
    today = make_row(app, table, midnight() + SECOND)
    last_second = make_row(app, table, midnight(2) - SECOND)
    first_moment = make_row(app, table, midnight(2))

    assert home(today) == f"{table.name}_{midnight():%Y%m%d}"
    assert home(last_second) == f"{table.name}_{midnight(1):%Y%m%d}"
    assert home(first_moment) == f"{table.name}_{midnight(2):%Y%m%d}"


def test_the_clock_makes_tables_for_seven_days_ahead(db):
    partitioning.drop(EVENTS, older_than=midnight(30))
    assert partitioning.days_ahead(now=clock.now()) == 0
    assert not partitioning.stand_ready(now=clock.now())

    partitioning.prepare(now=midnight(10))

    assert partitioning.days_ahead(now=midnight(10)) == 7
    prepare_partitions()
    assert partitioning.days_ahead(now=midnight(10)) == 7


@pytest.mark.parametrize("table", [EVENTS, ATTEMPTS])
def test_what_has_no_table_yet_is_kept_all_the_same_and_moves_into_it_later(app, table):
    row = make_row(app, table, midnight(20) + SECOND)
    assert home(row) == f"{table.name}_rest"

    partitioning.prepare(now=midnight(20))

    assert home(row) == f"{table.name}_{midnight(20):%Y%m%d}"
    assert type(row).objects.get() == row


@KEPT
def test_a_day_is_dropped_before_any_of_it_is_kept_too_long(app, table, kept):
    make_row(app, table, midnight(1) + SECOND)
    younger = make_row(app, table, midnight(2))

    forgetting.forget(now=midnight(1) + kept)
    assert midnight(1) in table.days()
    forgetting.forget(now=midnight(1) + kept + SECOND)

    assert midnight(1) not in table.days()
    assert type(younger).objects.get() == younger


@KEPT
def test_a_day_that_never_had_a_table_is_forgotten_row_by_row(app, table, kept):
    make_row(app, table, midnight(40))
    younger = make_row(app, table, midnight(42))

    forgetting.forget(now=midnight(41) + kept)

    assert type(younger).objects.get() == younger


def test_what_was_written_about_a_message_goes_with_it_from_all_days(app):
    message_id = ids.ulid()
    rows = [make_row(app, table, midnight(day)) for table in (EVENTS, ATTEMPTS) for day in (-3, 0, 3, 30)]
    for row in rows:
        type(row).objects.filter(pk=row.pk).update(message_id=message_id)

    assert Event.objects.filter(message_id=message_id).delete()[0] == 4
    assert Attempt.objects.filter(message_id=message_id).delete()[0] == 4


def test_finding_events_by_their_ids_looks_into_their_days_alone(app):
    event = make_row(app, EVENTS, midnight(3))

    plan = Event.objects.filter(pk__in=[event.pk]).explain()

    assert f"{EVENTS.name}_{midnight(3):%Y%m%d}" in plan
    assert f"{EVENTS.name}_{midnight(2):%Y%m%d}" not in plan


@pytest.mark.django_db(transaction=True)
def test_a_table_that_somebody_holds_is_not_waited_for(caplog):
    app = make_app()
    make_row(app, ATTEMPTS, midnight())
    before = ATTEMPTS.days()

    with psycopg.connect(settings.DATABASE_URL, dbname=connection.settings_dict["NAME"]) as other:
        other.execute(f"LOCK TABLE {ATTEMPTS.name}_rest, {EVENTS.name}_rest IN ACCESS SHARE MODE")
        with caplog.at_level(logging.WARNING):
            partitioning.prepare(now=midnight(1))

    assert "has to wait" in caplog.text
    assert ATTEMPTS.days() == before


def test_the_migration_keeps_every_row_on_its_way_there_and_back(app):
    migration = import_module("webhooks.migrations.0006_partitions")
    rows = [make_row(app, table, midnight(day)) for table in (EVENTS, ATTEMPTS) for day in (-40, 0, 2, 30)]

    with connection.schema_editor() as editor:
        migration.unite(None, editor)
        assert (EVENTS.days(), ATTEMPTS.days()) == ([], [])
        assert sorted(map(str, [*Event.objects.all(), *Attempt.objects.all()])) == sorted(map(str, rows))
        next_one = make_row(app, ATTEMPTS, midnight())
        migration.partition(None, editor)

    assert Event.objects.count() == 4
    assert Attempt.objects.count() == 5
    assert make_row(app, ATTEMPTS, midnight()).pk == next_one.pk + 1
