"""Sending once: a request that is repeated under the same `Idempotency-Key` gets its first answer again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from django.db import connection, transaction

from conversations.models import SentOnce
from projects import ids
from projects.models import App

KEPT: Final = timedelta(hours=24)
LONGEST_KEY: Final = 255  # characters
_BATCH: Final = 5000  # rows deleted in one statement

# Waits for whoever holds the key at this moment. Gives no row where it is taken; one that is too old is not.
_CLAIM = """
    INSERT INTO conversations_sentonce AS held
        (project_id, key_hash, body_hash, app_id, message_id, accept_time)
    VALUES (%(project)s, %(key)s, %(body)s, %(app)s, NULL, %(now)s)
    ON CONFLICT (project_id, key_hash) DO UPDATE
    SET body_hash = excluded.body_hash, app_id = excluded.app_id, message_id = NULL, accept_time = %(now)s
    WHERE held.accept_time <= %(expired)s
    RETURNING id
"""


class KeyIsTaken(Exception):
    """Another request was sent under this key."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What the client is told of a message that was accepted."""

    message_id: str
    accept_time: datetime


def once(key: str, *, app: App, body: Any, send: Callable[[], Sent], now: datetime) -> Sent:
    """Send under the key, or give what was sent under it in the last 24 hours. Raises KeyIsTaken.

    Of two at once the second waits for the first. What fails in `send` leaves the key unused.
    """
    key_hash, body_hash = _hash(key.encode()), _hash(orjson.dumps(body, option=orjson.OPT_SORT_KEYS))
    with transaction.atomic():
        while (claimed := _claim(app, key_hash, body_hash, now=now)) is None:
            # None: the purge has taken it meanwhile.
            earlier = SentOnce.objects.filter(project=app.project_id, key_hash=key_hash).first()
            if earlier and bytes(earlier.body_hash) != body_hash:
                raise KeyIsTaken
            if earlier and earlier.message_id:
                return Sent(earlier.message_id, earlier.accept_time)
        sent = send()
        SentOnce.objects.filter(pk=claimed).update(message_id=sent.message_id)
        return sent


def forget(*, now: datetime) -> None:
    """Delete the keys that may be used anew, in batches that each commit."""
    old = SentOnce.objects.filter(accept_time__lte=now - KEPT)
    while old.filter(pk__in=old.values("pk")[:_BATCH]).delete()[0]:
        continue


def _claim(app: App, key_hash: bytes, body_hash: bytes, *, now: datetime) -> int | None:
    """The row that now holds the key for this request; None where an earlier one does."""
    terms: dict[str, Any] = {
        "project": app.project_id,
        "key": key_hash,
        "body": body_hash,
        "app": ids.to_uuid(app.id),
        "now": now,
        "expired": now - KEPT,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, terms)
        row: tuple[int] | None = cursor.fetchone()
    return row[0] if row else None


def _hash(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
