"""One try of one entry: it is loaded, sent, read and flushed, each step shared with the other tries."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from gateway.http import Client, Request, Response
from outbox import kinds, measuring
from outbox.dispatching import flushing
from outbox.dispatching.batching import Batches
from outbox.dispatching.claiming import Lease
from outbox.dispatching.clock import Clock
from outbox.dispatching.database import Broken, Database, unbroken
from outbox.dispatching.limits import Limits
from outbox.dispatching.settlements import Settlement, concluded, dropped, poisoned
from outbox.dispatching.slots import Slots
from outbox.kinds import Claimed, Courier, Kind, Result, Send

logger = logging.getLogger(__name__)

Loaded = Request | Exception | None  # None: its subject is gone

# Gets what was flushed, None when the turn came too late, or what kept it from being flushed.
Ended = Callable[[Claimed, Settlement | Exception | None], None]


class Sender:
    """Makes tries for all lanes of a dispatcher, within its limits.

    A kill -9 repeats at most the tries that are in flight or not yet flushed.
    """

    def __init__(
        self,
        *,
        client: Client,
        database: Database,
        flush_database: Database,
        clock: Clock,
        limits: Limits,
        on_put_back: Callable[[datetime], None],
    ) -> None:
        self.tries = 0
        self.clock = clock
        self.on_put_back = on_put_back
        self.unflushed = Slots(limits.in_flight + limits.unflushed)
        self.in_flight = Slots(limits.in_flight)
        self.doubtful = Slots(max(1, limits.in_flight // 2))
        self.loads = Batches(self._load, size=limits.batch)
        self.flushes = Batches(self._flush, size=limits.batch)
        self.under_way: dict[Try, Callable[[], object]] = {}  # how each is given up
        self._client = client
        self._database = database
        self._flush_database = flush_database
        self._patience = limits.lease
        self._couriers: dict[str, tuple[Courier | None, Send]] = {}

    def send(self, lease: Lease, claimed: Claimed, *, may_send: Callable[[], bool], then: Ended) -> None:
        """Try once; `then` gets what was flushed, or None when its turn came too late to be sent."""
        Try(self, lease, claimed, may_send, then).begin()

    def interrupt(self) -> None:
        """Give up what is being sent: those entries stay, and are sent again by whoever claims their lane."""
        for each, give_up in list(self.under_way.items()):
            give_up()
            each.interrupted()

    def depart(self, each: Try, request: Request) -> Callable[[], object]:
        """Send it as its kind does, or plainly; gives how it is given up."""
        courier, send = self._courier(each.lease.kind)
        if courier is None or not courier.carries(request):
            return self._client.start(request, then=each.answered)
        task = asyncio.ensure_future(send(request))
        task.add_done_callback(partial(_carried, each))
        return task.cancel

    def _courier(self, name: str) -> tuple[Courier | None, Send]:
        if name not in self._couriers:
            kind = kinds.registered_as(name)
            self._couriers[name] = (
                (kind, kind.sender(self._client)) if isinstance(kind, Courier) else (None, self._client.send)
            )
        return self._couriers[name]

    async def _load(self, batch: Sequence[tuple[str, Claimed]]) -> Sequence[Loaded]:
        by_kind: dict[str, list[Claimed]] = defaultdict(list)
        for kind, claimed in batch:
            by_kind[kind].append(claimed)
        loaded: dict[int, Loaded] = {}
        for kind, entries in by_kind.items():
            loaded |= await self._database.run(_load_kind, kinds.registered_as(kind), entries)
        return [loaded.get(claimed.id) for _, claimed in batch]

    async def _flush(self, batch: Sequence[Settlement]) -> Sequence[None]:
        await self._flush_database.run(flushing.flush, batch, now=self.clock.now(), patience=self._patience)
        measuring.tried((settlement.lease.kind, settlement.outcome) for settlement in batch)
        self.tries += len(batch)
        return [None] * len(batch)


# Each step is called by the end of the one before. A coroutine would read better and cost three times as much: a
# dispatcher makes thousands of tries a second.
@dataclass(slots=True, eq=False)
class Try:
    """A try under way, step by step: each is called when the one before has come to its end."""

    sender: Sender
    lease: Lease
    claimed: Claimed
    may_send: Callable[[], bool]
    then: Ended
    is_doubtful: bool = False
    request: Request = field(init=False)
    started_at: datetime = field(init=False)
    settlement: Settlement = field(init=False)

    def begin(self) -> None:
        """Wait for a place among the doubtful first: they may use half of what can be in flight, not more."""
        self.is_doubtful = self.lease.health.is_doubtful
        if self.is_doubtful:
            self.sender.doubtful.take(self._enter)
        else:
            self._enter()

    def answered(self, response: Response) -> None:
        """Read what came back."""
        self._land()
        try:
            verdict = kinds.registered_as(self.lease.kind).read(self.claimed, self.request, response)
        except Exception as error:
            self._poison(error)
            return
        result = Result(self.claimed, self.request, response, verdict, self.started_at)
        self._settle(concluded(self.lease, result, now=self.sender.clock.now()))

    def failed(self, error: BaseException) -> None:
        """The kind's own way of sending broke."""
        self._land()
        self._poison(error)

    def interrupted(self) -> None:
        """It was given up."""
        self._land()
        self._end(None)

    def _enter(self) -> None:
        self.sender.unflushed.take(self._load)

    def _load(self) -> None:
        self.sender.loads.hand_in((self.lease.kind, self.claimed), self._loaded)

    def _loaded(self, loaded: Request | Exception | None) -> None:
        if loaded is None:
            self._settle(dropped(self.lease, self.claimed))
        elif isinstance(loaded, Exception):
            self._poison(loaded)
        else:
            self.request = loaded
            self.sender.in_flight.take(self._depart)

    def _depart(self) -> None:
        if not self.may_send():
            self.sender.in_flight.give_back()
            self._end(None)
            return
        self.started_at = self.sender.clock.now()
        try:
            self.sender.under_way[self] = self.sender.depart(self, self.request)
        except Exception as error:
            self.failed(error)

    def _land(self) -> None:
        self.sender.under_way.pop(self, None)
        self.sender.in_flight.give_back()

    def _poison(self, error: BaseException) -> None:
        logger.error(
            "%s cannot cope with entry %s: it comes back later",
            self.lease.kind,
            self.claimed.id,
            exc_info=error,
        )
        self._settle(poisoned(self.lease, self.claimed, now=self.sender.clock.now()))

    def _settle(self, settlement: Settlement) -> None:
        self.settlement = settlement
        self.sender.flushes.hand_in(settlement, self._flushed)

    def _flushed(self, error: Exception | None) -> None:
        if error is None and self.settlement.next_at:
            self.sender.on_put_back(self.settlement.next_at)
        self._end(error or self.settlement)

    def _end(self, ending: Settlement | Exception | None) -> None:
        self.then(self.claimed, ending)
        self.sender.unflushed.give_back()
        if self.is_doubtful:
            self.sender.doubtful.give_back()


def _carried(each: Try, task: asyncio.Future[Response]) -> None:
    if task.cancelled() or each not in each.sender.under_way:  # it was given up, if only just
        return
    if error := task.exception():
        each.failed(error)
    else:
        each.answered(task.result())


def _load_kind(kind: Kind, entries: Sequence[Claimed]) -> Mapping[int, Loaded]:
    """All in one query; when that fails, one by one, so that a bad entry costs the others nothing."""
    try:
        with unbroken():
            return kind.load(entries)
    except Broken:
        raise
    except Exception as error:
        if len(entries) == 1:
            return {entries[0].id: error}
    loaded: dict[int, Loaded] = {}
    for entry in entries:
        loaded |= _load_kind(kind, [entry])
    return loaded
