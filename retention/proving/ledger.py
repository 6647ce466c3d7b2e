"""The purge ledger: each deletion adds a row to its app's chain of hashes, in its own transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from conversations.deleting import ID_BYTES, Gone
from outbox import statements
from projects import ids
from projects.models import App
from retention.deciding.ruling import Policy
from retention.due import Count
from retention.models import Purge, PurgeBatch, PurgeHead, PurgeOverride

Record = dict[str, Any]  # of strings, whole numbers below 2**53, null, and objects of those

NOTHING_BEFORE: Final = bytes(32)  # what the first row of a chain follows

_LOCK_IF_FREE: Final = """
    SELECT number, last_hash, moment, widths::text FROM retention_purgehead WHERE app_id = %s
    FOR UPDATE SKIP LOCKED
"""
_KEEP: Final = """
    UPDATE retention_purgehead SET number = %s, last_hash = %s, moment = %s, widths = %s::jsonb WHERE app_id = %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What one transaction deleted, and by which measure."""

    messages: Gone = field(default_factory=Gone)
    conversations: Gone = field(default_factory=Gone)
    events: Gone = field(default_factory=Gone)
    cutoff: datetime  # all were older
    since: datetime | None = None
    until: datetime | None = None
    held: int = 0

    @property
    def count(self) -> Count:
        """How much it was."""
        return Count(len(self.messages), len(self.conversations), len(self.events))

    @property
    def all(self) -> Gone:
        """Its ids in one list; no id means two things."""
        parts = [part for part in (self.messages, self.conversations, self.events) if part]
        return sum(parts[1:], parts[0]) if parts else Gone()


def lock(app_id: str) -> PurgeHead:
    """The end of the app's chain, held until the transaction ends; this waits for whoever has it."""
    heads = PurgeHead.objects.filter(app=app_id).select_for_update()
    head = heads.first()
    if head is None:
        PurgeHead.objects.bulk_create([PurgeHead(app_id=app_id)], ignore_conflicts=True)
        head = heads.get()
    return head


def lock_if_free(app_id: str) -> PurgeHead | None:
    """The same without waiting; None: somebody else has it."""
    found = statements.run(_LOCK_IF_FREE, [ids.to_uuid(app_id)])
    if not found:
        PurgeHead.objects.bulk_create([PurgeHead(app_id=app_id)], ignore_conflicts=True)
        found = statements.run(_LOCK_IF_FREE, [ids.to_uuid(app_id)])
    for number, last_hash, moment, widths in found:
        return PurgeHead(
            app_id=app_id, number=number, last_hash=last_hash, moment=moment, widths=json.loads(widths)
        )
    return None


def keep(head: PurgeHead) -> None:
    """Save it."""
    terms = [head.number, head.last_hash, head.moment, json.dumps(head.widths), ids.to_uuid(head.app_id)]
    statements.run(_KEEP, terms)


def begin(
    app: App, policy: Policy | None, *, at: datetime, override: PurgeOverride | None, now: datetime
) -> Purge:
    """A run over what the policy rules; none: over all that a deleted app left. The caller holds the chain."""
    unfinished = Purge.objects.filter(app=app, kind=_kind(policy), state=Purge.State.RUNNING)
    if policy:
        unfinished = unfinished.filter(scope=policy.scope)
    unfinished.update(state=Purge.State.INTERRUPTED, ended_at=now)
    terms: dict[str, Any] = {}
    if policy:
        terms = {
            "scope": policy.scope,
            "policy_id": policy.version_id,
            "retention_type": policy.retention_type,
            "ttl_days": policy.ttl_days,
        }
    return Purge.objects.create(
        app=app, kind=_kind(policy), **terms, moment=at, override=override, started_at=now
    )


def is_under(purge: Purge, policy: Policy | None) -> bool:
    """Whether the run applies this policy still."""
    if policy is None:
        return purge.kind == Purge.Kind.REMOVAL
    mine = (purge.kind, purge.policy_id, purge.retention_type, purge.ttl_days)
    return mine == (Purge.Kind.RETENTION, policy.version_id, policy.retention_type, policy.ttl_days)


def end(purge: Purge, state: Purge.State, *, now: datetime) -> None:
    """Close a run, unless another has closed it meanwhile."""
    Purge.objects.filter(pk=purge.pk, state=Purge.State.RUNNING).update(state=state, ended_at=now)


def append(head: PurgeHead, purge: Purge, deletion: Deletion, *, now: datetime) -> PurgeBatch:
    """Add a row to the chain whose head the caller holds, in the transaction that deletes."""
    gone, count = deletion.all, deletion.count
    batch = PurgeBatch(
        app_id=head.app_id,
        number=head.number + 1,
        purge=purge,
        cutoff=deletion.cutoff,
        since=deletion.since,
        until=deletion.until,
        messages=count.messages,
        conversations=count.conversations,
        events=count.events,
        satellites=dict(gone.satellites),
        held=deletion.held,
        ids=gone.ids,
        first_id=first_id(gone.ids),
        last_id=last_id(gone.ids),
        digest=gone.digest,
        written_at=now,
        previous_hash=bytes(head.last_hash),
    )
    batch.own_hash = hash_of(record(batch))
    statements.insert(batch)
    head.number, head.last_hash = batch.number, batch.own_hash
    keep(head)
    return batch


@transaction.atomic(savepoint=False)
def prove(
    *, app: App, kind: Purge.Kind, reference: str, deletion: Deletion, now: datetime
) -> PurgeBatch | None:
    """Put a deletion that no policy asked for on record, in the caller's transaction; None: nothing was deleted."""
    if not deletion.count:
        return None
    head = lock(app.pk)
    purge = Purge.objects.create(
        app=app,
        kind=kind,
        reference=reference,
        moment=now,
        started_at=now,
        state=Purge.State.FINISHED,
        ended_at=now,
    )
    return append(head, purge, deletion, now=now)


def record(batch: PurgeBatch) -> Record:
    """What a row says, its run's terms included: the hash is over this."""
    purge = batch.purge
    return {
        "app": batch.app_id,
        "number": batch.number,
        "purge": purge.pk,
        "kind": str(purge.kind),
        "scope": str(purge.scope),
        "policy": purge.policy_id,
        "retention_type": str(purge.retention_type),
        "ttl_days": purge.ttl_days,
        "reference": purge.reference,
        "moment": stamp(purge.moment),
        "override": purge.override_id,
        "cutoff": stamp(batch.cutoff),
        "since": stamp(batch.since),
        "until": stamp(batch.until),
        "messages": batch.messages,
        "conversations": batch.conversations,
        "events": batch.events,
        "satellites": dict(batch.satellites),
        "held": batch.held,
        "digest": bytes(batch.digest).hex(),
        "written_at": stamp(batch.written_at),
        "previous_hash": bytes(batch.previous_hash).hex(),
    }


def first_id(gone: bytes) -> str:
    """Of sorted ids the lowest."""
    return ids.from_uuid(UUID(bytes=gone[:ID_BYTES]))


def last_id(gone: bytes) -> str:
    """The highest."""
    return ids.from_uuid(UUID(bytes=gone[-ID_BYTES:]))


def stamp(moment: datetime | None) -> str | None:
    """A moment as the ledger writes it: UTC, always with six digits."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical(value: Mapping[str, Any]) -> bytes:
    """RFC 8785, for a `Record`: there it is JSON with sorted keys, without blanks, in UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def hash_of(value: Mapping[str, Any]) -> bytes:
    """SHA-256 over its canonical form."""
    return hashlib.sha256(canonical(value)).digest()


def _kind(policy: Policy | None) -> Purge.Kind:
    return Purge.Kind.RETENTION if policy else Purge.Kind.REMOVAL
