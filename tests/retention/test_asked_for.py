"""What a client deletes by API is on the ledger too: nobody has to take our word for it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from projects.models import AccessKey, App
from retention import holding, purging
from retention.models import HoldScope, Purge, PurgeBatch
from retention.proving import certificates, lookup, verifying
from retention.proving.lookup import Fate
from tests.factories import api_client, make_conversation, make_event, make_message, path
from tests.retention.test_certificates import verified

DAY = timedelta(days=1)


@pytest.fixture
def api(app: App) -> APIClient:
    return api_client(app.project)


def delete(api: APIClient, app: App, what: str) -> int:
    return int(api.delete(path(app.project, what)).status_code)


def test_a_message_that_a_client_deletes_is_on_the_ledger_with_the_key(app: App, api: APIClient) -> None:
    message = make_message(app)

    assert delete(api, app, f"messages/{message.id}") == 200

    answer = lookup.what_became_of(app.project, message.id)
    assert answer.fate == Fate.DELETED
    assert answer.batch
    assert answer.batch.purge.kind == Purge.Kind.REQUEST
    assert answer.batch.purge.reference == AccessKey.objects.get().pk
    assert answer.batch.purge.state == Purge.State.FINISHED


def test_an_event_is_so_too(app: App, api: APIClient) -> None:
    event = make_event(make_conversation(app))

    assert delete(api, app, f"events/{event.id}") == 200

    assert lookup.what_became_of(app.project, event.id).fate == Fate.DELETED


def test_a_conversation_goes_in_one_row_that_names_all_that_was_in_it(app: App, api: APIClient) -> None:
    conversation = make_conversation(app)
    gone: list[Any] = [make_message(conversation=conversation) for _ in range(3)]
    gone += [make_event(conversation), conversation]

    assert delete(api, app, f"conversations/{conversation.id}") == 200

    batch = PurgeBatch.objects.get()
    assert (batch.messages, batch.events, batch.conversations) == (3, 1, 1)
    assert {lookup.what_became_of(app.project, row.id).batch for row in gone} == {batch}


def test_what_is_refused_or_is_not_there_adds_nothing(app: App, api: APIClient, now: datetime) -> None:
    message = make_message(app, accept_time=now)
    holding.place(project=app.project, scope=HoldScope.APP, app=app, matter="Case 7", now=now)

    assert delete(api, app, f"messages/{message.id}") == 400
    assert delete(api, app, "messages/01KVNTZ0000000000000000000") == 404

    assert not PurgeBatch.objects.exists()
    assert not Purge.objects.exists()


def test_its_rows_stand_in_the_chain_between_those_of_the_purge(
    app: App, api: APIClient, now: datetime
) -> None:
    for age in (200, 1, 190):
        message = make_message(app, accept_time=now - age * DAY)
        if age == 1:
            assert delete(api, app, f"messages/{message.id}") == 200
        else:
            purging.run(now=now)

    kinds = PurgeBatch.objects.order_by("number").values_list("purge__kind", flat=True)
    assert list(kinds) == ["RETENTION", "REQUEST", "RETENTION"]
    assert verifying.verify_chain(app.pk) == (3, None)


def test_its_certificate_is_verified_by_strangers(
    app: App, api: APIClient, now: datetime, tmp_path: Path
) -> None:
    message = make_message(app, content={"text_message": {"text": "the canary"}})
    delete(api, app, f"messages/{message.id}")

    certificate = certificates.of(Purge.objects.get(), now=now)

    file = tmp_path / "certificate.json"
    file.write_text(json.dumps(certificate))
    assert verified(file)
    assert "the canary" not in file.read_text()
    assert message.identity not in file.read_text()
