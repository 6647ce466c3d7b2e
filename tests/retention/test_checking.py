"""The whole ledger is verified each day, and nobody overlooks that it is not genuine."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pgtrigger
import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from projects import clock
from projects.models import App, Mail, Role
from retention import purging
from retention.deleting import windows
from retention.models import LedgerCheck, PurgeBatch
from retention.proving import verifying
from retention.tending import checking
from tests.factories import make_app, make_message, make_user
from tests.retention.test_killing import fill

DAY = timedelta(days=1)


@pytest.fixture
def ledger(app: App, now: datetime, settings: Any, tmp_path: Path) -> App:
    """An app with something on record, and no anchors of others."""
    settings.LEDGER_ANCHORS = tmp_path
    make_message(app, accept_time=now - 200 * DAY)
    purging.run(now=now)
    return app


def alter() -> None:
    with pgtrigger.ignore():
        PurgeBatch.objects.update(held=7)


def restore() -> None:
    with pgtrigger.ignore():
        PurgeBatch.objects.update(held=0)


def degraded(client: Any) -> bool:
    return "ledger" in client.get("/readyz").json()["degraded"]


def test_the_ledger_is_verified_once_a_day(ledger: App) -> None:
    first = checking.check_daily(now=_later(0))
    second = checking.check_daily(now=_later(23))
    third = checking.check_daily(now=_later(25))

    assert first
    assert third
    assert second is None
    assert (first.apps, first.rows, first.faults, first.is_genuine) == (1, 1, 0, True)
    assert LedgerCheck.objects.genuine().latest_one() == third
    assert not Mail.objects.exists()


def test_that_the_ledger_was_altered_is_mailed_and_shown(
    ledger: App, client: Any, django_user_model: Any
) -> None:
    django_user_model.objects.create_superuser("root", email="root@example.com")
    was_degraded = degraded(client)
    alter()

    check = checking.check_daily(now=_later(0))

    assert check
    assert check.first_fault == f"app {ledger.id}, row 1: it is not as it was written"
    assert Mail.objects.get().recipients == ["root@example.com"]
    assert check.first_fault in Mail.objects.get().text
    assert not was_degraded
    assert degraded(client)


def test_who_looks_by_hand_is_believed(ledger: App, client: Any, capsys: Any) -> None:
    alter()
    checking.check_daily(now=_later(0))
    restore()

    call_command("verify_ledger")

    assert not degraded(client)
    assert LedgerCheck.objects.count() == 2


def test_a_check_while_the_purge_goes_on_finds_nothing_wrong(
    committed: None, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "TARGET_WHEN_LATE", 5)
    monkeypatch.setattr(purging, "DUTY", 1.0)
    fill(make_app(), now, messages=150)
    purger = threading.Thread(target=_purge, args=(now,))
    purger.start()

    looks = []
    while purger.is_alive():
        looks.append(verifying.verify())
    purger.join()

    assert not any(look.faults for look in looks)
    assert len({look.rows for look in looks}) > 3


def _purge(now: datetime) -> None:
    purging.run(now=now)
    connection.close()


def _later(hours: int) -> datetime:
    """From the real clock: a check says itself when it began."""
    return clock.now() + timedelta(hours=hours)


def test_the_page_of_the_ledger_shows_it_and_names_no_app_of_others(ledger: App, client: Any) -> None:
    client.force_login(make_user(make_app().project, Role.COMPLIANCE))
    page = reverse("admin:retention_purge_changelist")
    before = client.get(page).content.decode()
    checking.check_now()
    genuine = client.get(page).content.decode()
    alter()
    checking.check_now()

    altered = client.get(page).content.decode()

    assert "The whole ledger was verified" not in before
    assert "each as it was written" in genuine
    assert "not all is as it was written" in altered
    assert ledger.id not in altered
