"""Nothing that was written about a message is forgotten by those who delete it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.apps import apps
from django.conf import settings
from django.db import connection, models

from conversations import deleting
from conversations.models import Candidate, Receipt
from projects.models import App
from retention.stores import OTHERS, STORES
from tests.factories import make_conversation, make_event, make_message
from tests.retention.worlds import CONVERSATIONS, MESSAGES, orbit, purge, rule
from webhooks.models import Attempt, DeadLetter, Event

ROOMS = {"portal", "retention", "conversations", "contacts", "webhooks", "projects", "outbox"}
NAMES = {"message_id", "conversation_id", "contact_id"}
PAYLOADS = (models.JSONField, models.FileField, models.BinaryField)
CANARY = "a-canary-that-sings-of-4670000"


def test_every_model_that_may_hold_something_of_a_message_is_registered() -> None:
    suspects = {
        model._meta.label
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in ROOMS
        for field in model._meta.concrete_fields
        if field.attname in NAMES or isinstance(field, PAYLOADS)
    }

    assert suspects == STORES.keys() | OTHERS.keys()


def test_what_is_derived_from_a_message_goes_with_it() -> None:
    by_message = {label for label, store in STORES.items() if store.key == "message_id"}

    assert by_message == {model._meta.label for model in deleting.satellites()}


def singing() -> Iterator[str]:
    """Where the canary is still heard: tables, keys of Redis, files."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT row::text FROM {table} AS row")  # noqa: S608 -- our own tables
            content = "".join(text for (text,) in cursor.fetchall())
            if CANARY in content or CANARY.encode().hex() in content:  # bytes are written in hex
                yield table
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield from (
            f"redis {key!r}" for key in client.scan_iter() if CANARY.encode() in (client.dump(key) or b"")
        )
    for path in Path(settings.DATA_DIR).rglob("*"):
        # The embedded servers' own files: the tables were asked above, and of logs and free space nothing is said.
        if "embedded" not in path.parts and path.is_file() and CANARY.encode() in path.read_bytes():
            yield str(path)


@pytest.mark.parametrize("retention_type", [MESSAGES, CONVERSATIONS])
def test_after_it_has_expired_nothing_of_a_message_is_found_anywhere(
    app: App, now: datetime, retention_type: Any, caplog: pytest.LogCaptureFixture
) -> None:
    rule(app, retention_type, 30, now=now)
    is_whole = retention_type == CONVERSATIONS
    conversation = make_conversation(app, metadata=CANARY if is_whole else "")
    message = make_message(
        conversation=conversation,
        accept_time=now - timedelta(days=40),
        content={"text_message": {"text": CANARY}},
        metadata=CANARY,
        identity=CANARY,
        reason={"description": CANARY},
    )
    make_event(conversation, accept_time=message.accept_time, content={"app_event": {"text": CANARY}})
    orbit(message)
    Receipt.objects.update(reason={"description": CANARY})
    Candidate.objects.update(identity=CANARY)
    Event.objects.update(body=CANARY.encode())
    Attempt.objects.update(detail=CANARY, response_body=CANARY.encode())
    DeadLetter.objects.update(reason=CANARY)
    assert len(set(singing())) == 7 + is_whole

    purge(now)

    assert list(singing()) == []
    assert CANARY not in caplog.text
