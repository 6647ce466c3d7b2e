"""Whether the purge ledger is as it was written: every chain from its first row on, and the anchors outside."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from conversations.deleting import ID_BYTES
from retention.models import PurgeBatch, PurgeHead
from retention.proving import anchoring, ledger
from retention.proving.anchoring import Anchor

ROWS_AT_ONCE: Final = 100  # each with the ids of what it deleted

_End = list[tuple[int, bytes]]  # what a chain's head says of its last row; empty: there is no head


@dataclass(frozen=True, slots=True)
class Fault:
    """The first row of a chain, or an anchor, that is not as it was written."""

    where: str  # "app 01ARZ…, row 7" or the name of an anchor
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(slots=True)
class Verdict:
    """What was looked at, and what is wrong with it."""

    apps: int = 0
    rows: int = 0
    anchors: int = 0
    faults: list[Fault] = field(default_factory=list)


def verify() -> Verdict:
    """Walk every chain, then hold the anchors against them. Of a chain the first bad row alone is named."""
    verdict = Verdict()
    with_a_head = set(PurgeHead.objects.values_list("app_id", flat=True))
    others = PurgeBatch.objects.exclude(app__in=with_a_head).values_list("app_id", flat=True).distinct()
    for app_id in sorted(with_a_head.union(others)):
        verdict.apps += 1
        chain = _Chain(app_id)
        verdict.faults.extend(filter(None, [chain.fault()]))
        verdict.rows += chain.rows
    for name, anchor, fault in anchoring.kept():
        verdict.anchors += 1
        wrong = fault or _contradiction(anchor)
        if wrong:
            verdict.faults.append(Fault(f"anchor {name}", wrong))
    return verdict


def verify_chain(app_id: str) -> tuple[int, Fault | None]:
    """One app's chain: how many rows are as they were written, and the first that is not."""
    chain = _Chain(app_id)
    fault = chain.fault()
    return chain.rows, fault


class _Chain:
    """One app's, on the way along it."""

    def __init__(self, app_id: str) -> None:
        self._app_id = app_id
        self._last_hash = ledger.NOTHING_BEFORE
        self.rows = 0

    def fault(self) -> Fault | None:
        """The first there is. A purge may go on meanwhile: until the end stays the same, the rest is looked at too."""
        end: _End | None = None
        while True:
            before, end = end, self._end()
            if before is not None and before == end:
                return self._fault_of_the_end(end)
            if fault := self._fault_beyond(self.rows):
                return fault

    def _end(self) -> _End:
        heads = PurgeHead.objects.filter(app=self._app_id)
        return [(number, bytes(last_hash)) for number, last_hash in heads.values_list("number", "last_hash")]

    def _fault_beyond(self, number: int) -> Fault | None:
        batches = PurgeBatch.objects.filter(app=self._app_id).order_by("number").select_related("purge")
        beyond = batches.filter(number__gt=number) if number else batches
        for batch in beyond.iterator(chunk_size=ROWS_AT_ONCE):
            for what in self._faults_of(batch):
                return Fault(f"app {self._app_id}, row {self.rows + 1}", what)
            self.rows += 1
            self._last_hash = bytes(batch.own_hash)
        return None

    def _faults_of(self, batch: PurgeBatch) -> Iterator[str]:
        if batch.number != self.rows + 1:
            yield f"it is missing; row {batch.number} comes next"
        if bytes(batch.previous_hash) != self._last_hash:
            yield "it does not follow the row before it"
        if bytes(batch.own_hash) != ledger.hash_of(ledger.record(batch)):
            yield "it is not as it was written"
        if fault := _fault_of_ids(batch):
            yield fault

    def _fault_of_the_end(self, end: _End) -> Fault | None:
        beyond = f"app {self._app_id}, row {self.rows + 1}"
        for number, last_hash in end:
            if number > self.rows:
                return Fault(beyond, f"it is missing; the chain had {number} rows")
            if number < self.rows or last_hash != self._last_hash:
                return Fault(f"app {self._app_id}, row {self.rows}", "it is not what the chain ended with")
        return None if end else Fault(beyond, "the chain has lost its head")


def _fault_of_ids(batch: PurgeBatch) -> str:
    """The look-up believes them, so they must be those of the digest."""
    gone = bytes(batch.ids)
    if hashlib.sha256(gone).digest() != bytes(batch.digest):
        return "its ids are not those that it was written with"
    if len(gone) != ID_BYTES * (batch.messages + batch.conversations + batch.events):
        return "it counts what it does not name"
    if (batch.first_id, batch.last_id) != (ledger.first_id(gone), ledger.last_id(gone)):
        return "it would not be found by its ids"
    return ""


def _contradiction(anchor: Anchor) -> str:
    """What the chains say otherwise than the anchor, which saw how far they had come."""
    for app_id, (number, hash_) in sorted(anchor.heads.items()):
        row = PurgeBatch.objects.filter(app=app_id, number=number).values_list("own_hash", flat=True).first()
        if row is None:
            return f"app {app_id}, row {number} was there and is missing"
        if bytes(row).hex() != hash_:
            return f"app {app_id}, row {number} was another"
    return ""
