"""Tampering: no record of the ledger, and no anchor of it, is altered unseen."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pgtrigger
import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection

from projects import ids
from projects.models import App, Mail
from retention import purging
from retention.models import PurgeBatch, PurgeHead
from retention.proving import anchoring, verifying
from retention.proving.ledger import hash_of, record
from tests.factories import make_app, make_message

DAY = timedelta(days=1)
EDITS = 30


def chain(app: App) -> list[PurgeBatch]:
    return list(PurgeBatch.objects.filter(app=app).order_by("number"))


@pytest.fixture
def ledger(app: App, now: datetime, small_batches: None) -> App:
    """An app whose chain has five rows, of a message each."""
    for days in (200, 240, 280, 320, 360):
        make_message(app, accept_time=now - days * DAY)
    purging.run(now=now)
    return app


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE retention_purgebatch SET messages = 0",
        "DELETE FROM retention_purgebatch",
        "TRUNCATE retention_purgebatch CASCADE",
        "UPDATE retention_purge SET ttl_days = 1",
        "UPDATE retention_purge SET state = 'RUNNING', ended_at = NULL",
        "DELETE FROM retention_purge",
        "DELETE FROM retention_purgehead",
    ],
)
def test_the_database_refuses_to_alter_the_ledger(ledger: App, attack: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match="pgtrigger: Cannot"):
            cursor.execute(attack)


def test_a_ledger_as_it_was_written_is_genuine(ledger: App, capsys: Any) -> None:
    call_command("verify_ledger", "--json")

    assert json.loads(capsys.readouterr().out) == {
        "genuine": True,
        "apps": 1,
        "rows": 5,
        "anchors": 0,
        "faults": [],
    }


def drop(app: App, number: int) -> None:
    PurgeBatch.objects.filter(app=app, number=number).delete()


def swap(app: App, one: int, other: int) -> None:
    rows = PurgeBatch.objects.filter(app=app)
    rows.filter(number=one).update(number=99)
    rows.filter(number=other).update(number=one)
    rows.filter(number=99).update(number=other)


def insert_again(app: App, number: int) -> None:
    row = PurgeBatch.objects.get(app=app, number=number)
    row.pk, row.number = None, 6
    row.save(force_insert=True)


def rewrite(app: App, number: int) -> None:
    """All that the database holds from this row on, written anew as the ledger itself would."""
    rows = chain(app)
    head = PurgeHead.objects.get(app=app)
    head.number, head.last_hash = number - 1, rows[number - 2].own_hash if number > 1 else bytes(32)
    PurgeBatch.objects.filter(app=app, number__gte=number).delete()
    for row in rows[number - 1 :]:
        row.pk, row.held, row.previous_hash = None, 7, head.last_hash
        row.own_hash = head.last_hash = hash_of(record(row))
        head.number = row.number
        row.save(force_insert=True)
    head.save()


@pytest.mark.parametrize(
    ("tamper", "where", "what"),
    [
        (lambda app: drop(app, 3), "row 3", "row 4 comes next"),
        (lambda app: drop(app, 5), "row 5", "the chain had 5 rows"),
        (lambda app: swap(app, 2, 3), "row 2", "does not follow"),
        (lambda app: insert_again(app, 2), "row 6", "does not follow"),
        (lambda app: PurgeHead.objects.filter(app=app).delete(), "row 6", "lost its head"),
        (lambda app: app.purges.update(ttl_days=9), "row 1", "not as it was written"),
    ],
)
def test_what_was_altered_is_named_and_the_status_is_1(
    ledger: App, capsys: Any, tamper: Callable[[App], Any], where: str, what: str
) -> None:
    with pgtrigger.ignore():
        tamper(ledger)

    with pytest.raises(SystemExit) as ended:
        call_command("verify_ledger")

    assert ended.value.code == 1
    said = capsys.readouterr().out
    assert where in said
    assert what in said


def flip(app: App, chance: random.Random) -> None:
    """One value of one row becomes another."""
    row = chance.choice(chain(app))
    field = chance.choice(
        [
            name
            for name in (f.attname for f in PurgeBatch._meta.fields)
            if name not in ("id", "app_id", "purge_id")
        ]
    )
    value = getattr(row, field)
    match value:
        case int():
            value += chance.randint(10, 1000)
        case datetime():
            value += timedelta(microseconds=chance.randint(1, 10**9))
        case dict():
            value = value | {"conversations_receipt": chance.randint(1, 9)}
        case str():
            value = ids.ulid()
        case _:
            content = bytearray(bytes(value))
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            value = bytes(content)
    PurgeBatch.objects.filter(pk=row.pk).update(**{field: value})


def edit(app: App, chance: random.Random) -> None:
    number = chance.randint(1, 5)
    other = chance.choice([each for each in range(1, 6) if each != number])
    chance.choice(
        [
            lambda: flip(app, chance),
            lambda: flip(app, chance),
            lambda: drop(app, number),
            lambda: swap(app, number, other),
            lambda: insert_again(app, number),
            lambda: rewrite(app, number),
        ]
    )()


@pytest.mark.parametrize("edits", [EDITS, pytest.param(1000, marks=pytest.mark.long)])
def test_no_random_edit_goes_unseen(
    ledger: App, now: datetime, settings: Any, tmp_path: Path, edits: int
) -> None:
    settings.LEDGER_ANCHORS = tmp_path
    anchoring.drop(now=now)
    chance = random.Random(20)
    for _ in range(edits):
        with pgtrigger.ignore(), connection.cursor() as cursor:
            cursor.execute("SAVEPOINT edit")
            edit(ledger, chance)
            assert verifying.verify().faults
            cursor.execute("ROLLBACK TO SAVEPOINT edit")
    assert not verifying.verify().faults


def test_a_chain_that_was_rewritten_to_its_end_contradicts_the_anchor(
    ledger: App, now: datetime, settings: Any, tmp_path: Path
) -> None:
    settings.LEDGER_ANCHORS = tmp_path
    anchoring.drop(now=now)
    with pgtrigger.ignore():
        rewrite(ledger, 4)

    (fault,) = verifying.verify().faults

    assert fault.where == f"anchor {now:%Y-%m-%d}.json"
    assert fault.what == f"app {ledger.id}, row 5 was another"


def test_a_chain_that_has_gone_on_since_the_anchor_is_genuine(
    ledger: App, now: datetime, settings: Any, tmp_path: Path
) -> None:
    settings.LEDGER_ANCHORS = tmp_path
    anchoring.drop(now=now)
    for app in (ledger, make_app()):
        make_message(app, accept_time=now - 400 * DAY)
    purging.run(now=now)
    anchoring.drop(now=now + DAY)

    verdict = verifying.verify()

    assert (verdict.apps, verdict.rows, verdict.anchors, verdict.faults) == (2, 7, 2, [])


def test_a_day_has_one_anchor_and_a_mail(
    ledger: App, now: datetime, settings: Any, tmp_path: Path, django_user_model: Any
) -> None:
    settings.LEDGER_ANCHORS = tmp_path
    django_user_model.objects.create_superuser("root", email="root@example.com")

    first, second = anchoring.drop(now=now), anchoring.drop(now=now + timedelta(hours=1))

    assert first
    assert second is None
    assert [path.name for path in tmp_path.iterdir()] == [first.name]
    mail = Mail.objects.get()
    assert mail.recipients == ["root@example.com"]
    assert ledger.id in mail.text


@pytest.mark.parametrize(
    ("tamper", "what"),
    [
        (lambda path: path.write_text("{"), "cannot be read"),
        (lambda path: path.write_text(path.read_text().replace('"number": 5', '"number": 4')), "signature"),
        (lambda path: path.unlink(), "the anchor before it is missing"),
    ],
)
def test_an_altered_anchor_is_named(
    ledger: App, now: datetime, settings: Any, tmp_path: Path, tamper: Any, what: str
) -> None:
    settings.LEDGER_ANCHORS = tmp_path
    path = anchoring.drop(now=now)
    anchoring.drop(now=now + DAY)

    tamper(path)

    assert what in verifying.verify().faults[0].what
