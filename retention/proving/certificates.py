"""The certificate of a run: what was deleted, when and why, signed; verified offline from the file alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection

from conversations.models import Conversation, ConversationEvent, Message
from projects import authors
from retention.models import OwedItem, Purge, PurgeBatch
from retention.proving import flushing, ledger, signing
from retention.proving.ledger import Record

KIND: Final = "Certificate of deletion"
COPIES: Final = (
    "Deleted means: no longer in the live database, for anybody. The server frees the bytes with its next vacuum. "
    "Write-ahead logs, replicas that lag and backups may hold copies for longer, until they expire or are "
    "overwritten; this certificate says nothing of copies that others have made."
)
# A table for each day is dropped whole, and not vacuumed.
_VACUUMED = """
    SELECT max(greatest(last_vacuum, last_autovacuum)) FROM pg_stat_user_tables JOIN pg_class ON oid = relid
    WHERE schemaname = current_schema() AND pg_class.relname = ANY(%s) AND relkind = 'r'
    HAVING bool_and(coalesce(greatest(last_vacuum, last_autovacuum) > %s, false))
"""


class NothingDeleted(Exception):
    """The run deleted nothing: there is nothing to certify."""


def of(purge: Purge, *, now: datetime) -> Record:
    """The certificate as it is handed out: JSON of strings, whole numbers, null, lists and objects.

    `docs/verify_certificate.py` says whether it is genuine. Raises NothingDeleted.
    """
    batches = list(purge.batches.order_by("number").select_related("purge").defer("ids"))
    if not batches:
        raise NothingDeleted
    flushing.flush()  # of a run under way, the last rows may have been seen before they were on the disk
    return signing.signed(
        {
            "what": KIND,
            "issued_at": ledger.stamp(now),
            "run": _run(purge),
            "policy": _policy(purge),
            "counts": _counts(batches),
            "rows": [ledger.record(batch) | {"hash": bytes(batch.own_hash).hex()} for batch in batches],
            "chain": {"first": batches[0].number, "last": batches[-1].number},
            "copies": _copies(batches),
        }
    )


def _run(purge: Purge) -> Record:
    return {
        "id": purge.pk,
        "project": str(purge.app.project_id),
        "app": purge.app_id,
        "app_name": purge.app.display_name,
        "kind": str(purge.kind),
        "state": str(purge.state),
        "reference": purge.reference,
        "override": purge.override.why if purge.override else None,
        "started_at": ledger.stamp(purge.started_at),
        "ended_at": ledger.stamp(purge.ended_at),
    }


def _policy(purge: Purge) -> Record | None:
    """The version that was applied and its ground; null where no policy was asked."""
    if purge.ttl_days is None:
        return None
    terms = {"scope": str(purge.scope), "type": str(purge.retention_type), "ttl_days": purge.ttl_days}
    version = purge.policy
    if version is None:
        return terms | {"version": None, "justification": None}  # an app's default
    set_ = {
        "number": version.number,
        "via": str(version.via),
        "effective_at": ledger.stamp(version.effective_at),
        "decided_by": authors.named(version.author, version.author_key),
        "owed_since": ledger.stamp(version.owed.opened_at) if version.owed else None,
    }
    return terms | {
        "version": version.pk,
        **set_,
        "justification": _ground(version.justification or version.owed),
    }


def _ground(ground: Any) -> Record | None:
    if isinstance(ground, OwedItem):
        ground = ground.justification  # given later, or still owed
    return ground and {
        "id": ground.pk,
        "category": str(ground.category),
        "reference": ground.reference,
        "text": ground.text,
        "given_at": ledger.stamp(ground.created_at),
    }


def _counts(batches: Sequence[PurgeBatch]) -> Record:
    satellites: Counter[str] = Counter()
    for batch in batches:
        satellites.update(batch.satellites)
    names = ("messages", "conversations", "events", "held")
    return {name: sum(getattr(batch, name) for batch in batches) for name in names} | {
        "satellites": dict(satellites)
    }


def _copies(batches: Sequence[PurgeBatch]) -> Record:
    """When the last copies are gone, as far as this installation knows."""
    days, deleted_at = settings.BACKUPS_KEPT_DAYS, batches[-1].written_at
    return {
        "deleted_at": ledger.stamp(deleted_at),
        "vacuumed_at": ledger.stamp(_vacuumed_at(batches, after=deleted_at)),
        "backups_expire_at": ledger.stamp(deleted_at + timedelta(days=days)) if days else None,
        "in_words": COPIES,
    }


def _vacuumed_at(batches: Sequence[PurgeBatch], *, after: datetime) -> datetime | None:
    """By when every table that the run deleted from was vacuumed; None: one was not yet since then."""
    tables = {table for batch in batches for table in batch.satellites}
    for name, model in (
        ("messages", Message),
        ("conversations", Conversation),
        ("events", ConversationEvent),
    ):
        if any(getattr(batch, name) for batch in batches):
            tables.add(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(_VACUUMED, [sorted(tables), after])
        found = cursor.fetchone()
    return found[0] if found else None
