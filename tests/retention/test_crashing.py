"""The database server dies in the middle of a purge, again and again: rows and ledger go on telling one story."""

from __future__ import annotations

import random
import signal
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from conversations.models import Message
from portal import embedded
from portal.embedded import postgres
from portal.environment import env
from projects import ids
from retention import holding, purging
from retention.models import HoldScope, Purge, PurgeBatch
from retention.proving import anchoring, certificates, verifying
from retention.proving.ledger import Record
from tests.factories import make_app, make_conversation, make_message
from tests.retention.test_killing import fill, purger, told

CRASHES = 6
SECONDS = 60.0  # to start in, recovery included


class Server:
    """A PostgreSQL of the test's own, that may crash: what was on the disk is there again afterwards."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = postgres.start(folder, seconds=SECONDS)
        self.url = embedded.database_url(folder)

    def crash(self) -> None:
        """As `pg_ctl stop -m immediate` does, and come back."""
        self._server.process.send_signal(signal.SIGQUIT)
        self._server.process.wait(SECONDS)
        connections["default"].close()
        self._server = postgres.start(self._folder, seconds=SECONDS)

    def stop(self) -> None:
        connections["default"].close()
        self._server.stop()


@pytest.fixture
def server(settings: Any, tmp_path: Path, django_db_blocker: Any) -> Iterator[Server]:
    """For the time of the test, the database of everything."""
    settings.LEDGER_ANCHORS = tmp_path
    ours = connections["default"]
    with tempfile.TemporaryDirectory(prefix="portal-crashes-") as folder, django_db_blocker.unblock():
        Path(folder).chmod(0o711)  # the server is not root's: it must get to its own folder in it
        server = Server(Path(folder))
        theirs = ours.copy()
        theirs.settings_dict = ours.settings_dict | env.db_url_config(server.url)
        connections["default"] = theirs
        try:
            call_command("migrate", verbosity=0)
            yield server
        finally:
            server.stop()
            connections["default"] = ours


def proof(now: datetime) -> Record | None:
    """A certificate of the run under way, if it has deleted anything."""
    run = Purge.objects.filter(state=Purge.State.RUNNING).first()
    try:
        return certificates.of(run, now=now) if run else None
    except certificates.NothingDeleted:
        return None


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_ledger_is_exact_however_often_the_server_crashes(server: Server, now: datetime) -> None:
    app = make_app()
    fill(app, now, messages=600 * CRASHES)
    due = {ids.to_uuid(pk).bytes for pk in Message.objects.values_list("pk", flat=True)}
    held = make_message(conversation=make_conversation(app), accept_time=now - timedelta(days=400))
    holding.place(project=app.project, scope=HoldScope.CONVERSATION, conversation_id=held.conversation_id,
                  matter="Case 7", now=now)  # fmt: skip
    young = make_message(app, accept_time=now)
    chance = random.Random(CRASHES)
    proofs: list[Record] = []

    for number in range(CRASHES):
        with purger(now, DATABASE_URL=server.url):
            time.sleep(0.1 + chance.random() * 0.4)
            anchoring.drop(now=now + timedelta(days=number))
            proofs += filter(None, [proof(now)])
            server.crash()
        left = {ids.to_uuid(pk).bytes for pk in Message.objects.values_list("pk", flat=True)}
        assert sorted([*told(), *(left & due)]) == sorted(due)
        assert not verifying.verify().faults
    purging.run(now=now)

    assert len(proofs) >= CRASHES // 2
    written = {bytes(hash_).hex() for hash_ in PurgeBatch.objects.values_list("own_hash", flat=True)}
    assert {row["hash"] for certificate in proofs for row in certificate["rows"]} <= written
    assert sorted(told()) == sorted(due)
    assert sum(PurgeBatch.objects.values_list("messages", flat=True)) == len(due)
    assert set(Message.objects.values_list("pk", flat=True)) == {held.pk, young.pk}
    assert (verifying.verify().faults, verifying.verify().anchors) == ([], CRASHES)
