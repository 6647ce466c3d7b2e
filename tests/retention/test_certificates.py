"""The certificate of a run, verified by others; and what became of a message."""

from __future__ import annotations

import base64
import copy
import json
import random
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from projects import ids
from projects.models import App
from retention import holding, purging
from retention.deleting import batches, windows
from retention.deleting.batches import Course
from retention.models import HoldScope, Purge
from retention.proving import certificates, lookup, signing
from retention.proving.lookup import Fate
from tests.factories import make_app, make_conversation, make_event, make_message, make_project
from tests.retention.worlds import CONVERSATIONS, GROUND, MESSAGES, rule

DAY = timedelta(days=1)
SCRIPT = Path(__file__).parents[2] / "docs" / "verify_certificate.py"


def verified(path: Path, *key: str) -> bool:
    ended = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(path), *key], capture_output=True, text=True, check=False
    )
    assert ended.stderr == ""
    assert (ended.stdout == "Genuine.\n") == (ended.returncode == 0)
    return ended.returncode == 0


@pytest.fixture
def certificate(app: App, now: datetime, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(windows, "TARGET_WHEN_LATE", 1)
    rule(app, MESSAGES, 30, now=now)
    for age in (40, 40, 50, 60):
        make_message(app, accept_time=now - age * DAY)
    purging.run(now=now)
    return certificates.of(Purge.objects.get(), now=now)


def test_it_says_what_went_why_and_under_which_policy(certificate: dict[str, Any], app: App) -> None:
    assert certificate["counts"] == {
        "messages": 4,
        "conversations": 0,
        "events": 0,
        "held": 0,
        "satellites": {},
    }
    assert certificate["run"]["app"] == app.id
    assert certificate["policy"]["ttl_days"] == 30
    assert certificate["policy"]["decided_by"] == "officer"
    assert certificate["policy"]["justification"]["text"] == GROUND.text
    assert [row["messages"] for row in certificate["rows"]] == [1, 1, 2]
    assert certificate["chain"] == {"first": 1, "last": 3}


def test_it_says_plainly_what_it_does_not_know(certificate: dict[str, Any]) -> None:
    assert certificate["copies"]["backups_expire_at"] is None
    assert "backups may hold copies" in certificate["copies"]["in_words"]


def test_it_says_when_the_last_backup_is_gone(app: App, now: datetime, settings: Any) -> None:
    settings.BACKUPS_KEPT_DAYS = 30
    make_message(app, accept_time=now - 999 * DAY)
    purging.run(now=now)

    copies = certificates.of(Purge.objects.get(), now=now)["copies"]

    assert copies["backups_expire_at"][:10] > copies["deleted_at"][:10]


def test_it_names_nothing_that_a_crash_of_the_server_could_undo(committed: None, now: datetime) -> None:
    app = make_app()
    make_message(app, accept_time=now - 400 * DAY)
    batches.purge(app.pk, Course(part=0, at=now))  # it does not wait for the disk
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn()")
        (written,) = cursor.fetchone()

        certificates.of(Purge.objects.get(), now=now)

        cursor.execute("SELECT pg_current_wal_flush_lsn() >= %s::pg_lsn", [written])
        assert cursor.fetchone() == (True,)


def test_anybody_can_verify_it_from_the_file_alone(certificate: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(certificate, indent=2))

    assert verified(path)
    assert verified(path, signing.public_keys()[0])
    assert not verified(path, base64.b64encode(bytes(32)).decode())


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where values stand in the document."""
    if isinstance(value, dict):
        return [place for name in value for place in places(value[name], (*path, name))]
    if isinstance(value, list):
        return [place for number, each in enumerate(value) for place in places(each, (*path, number))]
    return [path]


def altered(certificate: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    tampered: Any = copy.deepcopy(certificate)
    *way, last = chance.choice(places(tampered))
    inner = tampered
    for step in way:
        inner = inner[step]
    match inner[last]:
        case int():
            inner[last] += 1
        case str(text) if text:
            place = chance.randrange(len(text))
            inner[last] = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        case _:
            inner[last] = "x"
    return dict(tampered)


def test_no_altered_file_is_genuine(certificate: dict[str, Any], tmp_path: Path) -> None:
    chance = random.Random(50)
    script = {"__name__": "verify_certificate"}
    exec(compile(SCRIPT.read_text(), SCRIPT, "exec"), script)  # noqa: S102 -- fifty processes would take long
    path = tmp_path / "certificate.json"
    for number in range(50):
        path.write_text(json.dumps(altered(certificate, chance)))
        assert script["main"](path) == 1  # type: ignore[operator]
        if number < 3:
            assert not verified(path)


def test_a_certificate_without_a_row_is_none(certificate: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "certificate.json"
    for content in ("", "[]", "{}", json.dumps(certificate | {"rows": certificate["rows"][1:]})):
        path.write_text(content)
        assert not verified(path)


def test_a_run_that_deleted_nothing_has_none(app: App, now: datetime) -> None:
    purge = Purge.objects.create(app=app, kind="REMOVAL", moment=now, started_at=now)

    with pytest.raises(certificates.NothingDeleted):
        certificates.of(purge, now=now)


def test_the_look_up_knows_what_became_of_everything(app: App, now: datetime) -> None:
    rule(app, CONVERSATIONS, 30, now=now)
    conversation = make_conversation(app)
    gone: list[Any] = [
        make_message(conversation=conversation, accept_time=now - 50 * DAY),
        make_event(conversation, accept_time=now - 49 * DAY),
        conversation,
    ]
    held, stays = make_message(app, accept_time=now - 60 * DAY), make_message(app, accept_time=now)
    assert held.conversation
    holding.place(
        project=app.project,
        scope=HoldScope.CONVERSATION,
        conversation_id=held.conversation.id,
        matter="Case 7",
        now=now,
    )

    purging.run(now=now)

    for row in gone:
        answer = lookup.what_became_of(app.project, row.id)
        assert answer.fate == Fate.DELETED
        assert answer.batch
        assert answer.batch.purge.ttl_days == 30
        assert answer.deleted_at
    assert lookup.what_became_of(app.project, held.id).fate == Fate.HELD
    assert lookup.what_became_of(app.project, stays.id).fate == Fate.PRESENT


def test_what_never_was_or_is_anothers_is_not_known(app: App, now: datetime) -> None:
    gone = make_message(make_app(), accept_time=now - 999 * DAY)
    purging.run(now=now)

    for id_ in (ids.ulid(), gone.id, "nonsense", ""):
        assert lookup.what_became_of(app.project, id_).fate == Fate.UNKNOWN
    assert lookup.what_became_of(make_project(), gone.id).fate == Fate.UNKNOWN
