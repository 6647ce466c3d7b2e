"""One try of one entry: it is loaded, sent, read and flushed, each step shared with the other tries."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import datetime

from django.db import connection

from gateway.http import Client, Request, Response
from outbox import kinds, measuring
from outbox.dispatching import flushing
from outbox.dispatching.batching import Batches
from outbox.dispatching.claiming import Lease
from outbox.dispatching.clock import Clock
from outbox.dispatching.database import Database
from outbox.dispatching.limits import Limits
from outbox.dispatching.settlements import Settlement, concluded, dropped, poisoned
from outbox.dispatching.slots import Slots
from outbox.kinds import Claimed, Courier, Kind, Result, Send

logger = logging.getLogger(__name__)

Loaded = Request | Exception | None  # None: its subject is gone


class Sender:
    """Makes tries for all lanes of a dispatcher, within its limits.

    A kill -9 repeats at most the tries that are in flight or not yet flushed.
    """

    def __init__(
        self,
        *,
        client: Client,
        database: Database,
        clock: Clock,
        limits: Limits,
        on_put_back: Callable[[datetime], None],
    ) -> None:
        self.tries = 0
        self._client = client
        self._database = database
        self._clock = clock
        self._on_put_back = on_put_back
        self._patience = limits.lease
        self._unflushed = Slots(limits.in_flight + limits.unflushed)
        self._in_flight = Slots(limits.in_flight)
        self._doubtful = Slots(max(1, limits.in_flight // 2))
        self._loads = Batches(self._load, size=limits.batch)
        self._flushes = Batches(self._flush, size=limits.batch)
        self._interruptible: set[asyncio.Task[None] | None] = set()
        self._senders: dict[str, Send] = {}

    @property
    def in_flight(self) -> int:
        """How many requests wait for their answer."""
        return len(self._interruptible)

    async def send(
        self, lease: Lease, claimed: Claimed, *, may_send: Callable[[], bool]
    ) -> Settlement | None:
        """Try once; gives what was flushed, or None when its turn came too late to be sent."""
        # Receivers that fail or are slow may use half of what can be in flight, not more.
        async with self._doubtful if lease.health.is_doubtful else nullcontext(), self._unflushed:
            try:
                settlement = await self._take_turn(lease, claimed, may_send)
            except Exception:
                logger.exception("%s cannot cope with entry %s: it comes back later", lease.kind, claimed.id)
                settlement = poisoned(lease, claimed, now=self._clock.now())
            if settlement:
                await self._flushes(settlement)
                self.tries += 1
                if settlement.next_at:
                    self._on_put_back(settlement.next_at)
            return settlement

    def interrupt(self) -> None:
        """Give up what is being sent: those entries stay, and are sent again by whoever claims their lane."""
        for task in self._interruptible:
            if task:
                task.cancel()

    async def _take_turn(
        self, lease: Lease, claimed: Claimed, may_send: Callable[[], bool]
    ) -> Settlement | None:
        loaded = await self._loads((lease.kind, claimed))
        if loaded is None:
            return dropped(lease, claimed)
        if isinstance(loaded, Exception):
            raise loaded
        async with self._in_flight:
            if not may_send():
                return None
            started_at = self._clock.now()
            response = await self._send(lease.kind, loaded)
        verdict = kinds.registered()[lease.kind].read(claimed, loaded, response)
        return concluded(lease, Result(claimed, loaded, response, verdict, started_at), now=self._clock.now())

    async def _send(self, kind: str, request: Request) -> Response:
        task = asyncio.current_task()
        self._interruptible.add(task)
        try:
            return await self._sender(kind)(request)
        finally:
            self._interruptible.discard(task)

    def _sender(self, name: str) -> Send:
        """The kind's own way of sending, or the plain one."""
        if name not in self._senders:
            kind = kinds.registered()[name]
            self._senders[name] = (
                kind.sender(self._client) if isinstance(kind, Courier) else self._client.send
            )
        return self._senders[name]

    async def _load(self, batch: Sequence[tuple[str, Claimed]]) -> Sequence[Loaded]:
        by_kind: dict[str, list[Claimed]] = defaultdict(list)
        for kind, claimed in batch:
            by_kind[kind].append(claimed)
        loaded: dict[int, Loaded] = {}
        for kind, entries in by_kind.items():
            loaded |= await self._database.run(_load_kind, kinds.registered()[kind], entries)
        return [loaded.get(claimed.id) for _, claimed in batch]

    async def _flush(self, batch: Sequence[Settlement]) -> Sequence[None]:
        await self._database.run(flushing.flush, batch, now=self._clock.now(), patience=self._patience)
        measuring.tried((settlement.lease.kind, settlement.outcome) for settlement in batch)
        return [None] * len(batch)


def _load_kind(kind: Kind, entries: Sequence[Claimed]) -> dict[int, Loaded]:
    """All in one query; when that fails, one by one, so that a bad entry costs the others nothing."""
    try:
        return dict(kind.load(entries))
    except Exception as error:
        if connection.connection is None or connection.connection.closed:  # the database went away
            raise
        if len(entries) == 1:
            return {entries[0].id: error}
    loaded: dict[int, Loaded] = {}
    for entry in entries:
        loaded |= _load_kind(kind, [entry])
    return loaded
