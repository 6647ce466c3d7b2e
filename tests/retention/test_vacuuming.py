"""What a large purge leaves behind is vacuumed, and the certificate says so."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from conversations.models import Message
from projects import clock
from projects.models import App
from retention import purging
from retention.models import Purge
from retention.proving import certificates
from retention.tending import vacuuming
from tests.factories import make_app, make_conversation, make_message

TABLE = "conversations_message"


def asked(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None


@pytest.fixture
def app(committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """Its messages are vacuumed by nobody else, and a few are enough for us."""
    monkeypatch.setattr(vacuuming, "FEWEST", 10)
    asked(f"ALTER TABLE {TABLE} SET (autovacuum_enabled = off)")
    yield make_app()
    asked(f"ALTER TABLE {TABLE} RESET (autovacuum_enabled)")


def purge(app: App, *, old: int, young: int) -> Purge:
    """A run that deletes the old ones; the server has counted them."""
    now = clock.now()
    asked(f"VACUUM {TABLE}")
    asked(f"SELECT pg_stat_reset_single_table_counters('{TABLE}'::regclass)")
    conversation = make_conversation(app)
    for days in [200] * old + [1] * young:
        make_message(conversation=conversation, accept_time=now - timedelta(days=days))
    asked("SELECT pg_stat_force_next_flush()")
    purging.run(now=now)
    asked("SELECT pg_stat_force_next_flush()")
    asked("SELECT pg_stat_clear_snapshot()")
    assert Message.objects.count() == young
    return Purge.objects.get()


def test_a_table_of_which_much_went_is_vacuumed_and_the_certificate_says_so(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    run = purge(app, old=20, young=20)
    before = certificates.of(run, now=clock.now())["copies"]["vacuumed_at"]

    with caplog.at_level(logging.INFO, "retention"):
        done = vacuuming.vacuum()

    assert TABLE in done
    assert f"Vacuumed {TABLE}: 2" in caplog.text
    assert before is None
    assert certificates.of(run, now=clock.now())["copies"]["vacuumed_at"] is not None
    assert asked("SHOW lock_timeout") == "0"


def test_a_table_of_which_little_went_is_left_to_the_server(app: App) -> None:
    purge(app, old=11, young=120)

    assert TABLE not in vacuuming.vacuum()


def test_a_table_that_somebody_else_is_at_is_left_for_the_next_tick(
    app: App, somebody_else: Any, caplog: pytest.LogCaptureFixture
) -> None:
    purge(app, old=20, young=20)
    with somebody_else.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {TABLE} IN SHARE UPDATE EXCLUSIVE MODE")

    with caplog.at_level(logging.INFO, "outbox.upkeep"):
        done = vacuuming.vacuum()

    assert TABLE not in done
    assert f"{TABLE}: not now" in caplog.text


def test_one_process_vacuums_at_a_time(app: App, somebody_else: Any) -> None:
    purge(app, old=20, young=20)
    with somebody_else.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [vacuuming.ALONE])

    assert vacuuming.vacuum() == []
