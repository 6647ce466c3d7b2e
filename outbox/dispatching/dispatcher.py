"""The dispatcher: claims lanes that have something due and serves each until it is done."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from django import db
from django.conf import settings

from gateway.addresses import default_guard
from gateway.http import Client
from outbox import kinds, measuring
from outbox.bell import Listener
from outbox.dispatching import claiming
from outbox.dispatching.batching import Batches
from outbox.dispatching.claiming import Lease, Survey
from outbox.dispatching.clock import Clock
from outbox.dispatching.database import Database
from outbox.dispatching.limits import Limits
from outbox.dispatching.looking import Looks
from outbox.dispatching.pacing import Paces
from outbox.dispatching.sending import Sender
from outbox.dispatching.serving import Serving
from outbox.kinds import Claimed
from outbox.reporting import Reporter

logger = logging.getLogger(__name__)

BREATH_SECONDS = 0.005  # between two looks, so that a storm of rings becomes one
SURRENDER_SECONDS = 5.0  # at a stop, after the grace: for flushing and releasing


class Dispatcher:
    """One event loop that sends what is due, until it is stopped.

    Any number may run at once, on any number of machines: a lane is held by one of them at a time. With a
    `flush_database` of its own, what is sent next is read while what was sent is written.
    """

    def __init__(self, *, database: Database, flush_database: Database, limits: Limits) -> None:
        self._database = database
        self._flush_database = flush_database
        self._limits = limits
        self._clock = Clock()
        self._looks = Looks()
        self._paces = Paces(database)
        self._servings: dict[Serving, asyncio.Task[None]] = {}
        self._is_crowded = False  # more lanes had something due than could be held
        self._is_stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Dispatch until `stop`; then no lane stays held and nothing that was answered is unwritten."""
        async with self._at_work():
            listener = Listener(self._rung)
            ear = asyncio.create_task(listener.listen())
            while not self._is_stopping:
                survey = await self._look_again()
                await self._rest(survey, hears=listener.hears)
            ear.cancel()
            await self._wind_down()

    def stop(self) -> None:
        """Let `run` come to its end; may be called from any thread, before `run` too."""
        self._is_stopping = True
        # Or a stop would wait for a database that is away.
        self._database.is_patient = self._flush_database.is_patient = False
        if self._loop:
            # A loop that is closed has nothing left to stop.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._rung.set)

    async def run_until_idle(self, *, horizon: timedelta) -> int:
        """Dispatch all that is due until `horizon` from now without waiting; gives how many tries it took."""
        async with self._at_work():
            survey = await self._look()
            end = survey.now + horizon
            while survey.leases or (survey.next_due_at and survey.next_due_at <= end):
                if not survey.leases and survey.next_due_at:
                    self._clock.put_forward_to(survey.next_due_at)
                await asyncio.gather(*self._servings.values())
                self._looks.look_everywhere()
                survey = await self._look()
            return self._sender.tries

    @contextlib.asynccontextmanager
    async def _at_work(self) -> AsyncIterator[None]:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()
        self._pages = Batches(self._read_pages, size=self._limits.lanes)
        self._releases = Batches(self._release, size=self._limits.lanes)
        self._reporter = Reporter()
        async with Client(guard=default_guard(), proxy=settings.EGRESS_PROXY) as client:
            self._sender = Sender(
                client=client,
                database=self._database,
                flush_database=self._flush_database,
                clock=self._clock,
                limits=self._limits,
                on_put_back=self._expect,
            )
            heart = asyncio.create_task(self._beat())
            try:
                yield
            finally:
                heart.cancel()
                await self._reporter.close()

    async def _look_again(self) -> Survey | None:
        """Look, and survive what the database's absence does not explain."""
        try:
            return await self._look()
        except db.Error:
            logger.exception("Claiming failed; the next look is soon")
            self._looks.look_everywhere()
            return None

    async def _look(self) -> Survey:
        """Claim what is due and free, and let the lanes that are held and have something due look again."""
        asked_at = time.monotonic()
        room = self._limits.lanes - len(self._servings)
        stretch = self._looks.stretch(now=self._clock.now())
        survey = await self._database.run(
            claiming.claim,
            kinds=list(kinds.registered()),
            limit=room,
            lease=self._limits.lease,
            ahead=self._clock.ahead,
            stretch=stretch,
        )
        survey = self._looks.saw(survey, stretch=stretch)
        measuring.CLAIM_SECONDS.observe(survey.seconds)
        self._clock.set(survey.now)
        self._is_crowded = len(survey.leases) == room
        if self._is_crowded:
            self._looks.look_everywhere()
        for serving in self._servings:
            if self._is_crowded or serving.lease.lane_id in survey.busy:
                serving.stir()
        await self._paces.learn(survey.leases)
        for lease in survey.leases:
            self._serve(lease, held_until=asked_at + self._limits.lease.total_seconds())
        return survey

    async def _rest(self, survey: Survey | None, *, hears: bool) -> None:
        """Until the bell rings, something becomes due, or it is time to look anyway."""
        seconds = self._limits.poll if hears else self._limits.poll_without_bell
        if survey and survey.next_due_at:
            seconds = min(seconds, (survey.next_due_at - self._clock.now()).total_seconds())
        await asyncio.sleep(BREATH_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), max(seconds, 0))
        self._rung.clear()

    def _expect(self, moment: datetime) -> None:
        """Look at that moment, if no poll comes before it."""
        seconds = (moment - self._clock.now()).total_seconds()
        if seconds < self._limits.poll_without_bell:
            asyncio.get_running_loop().call_later(max(seconds, 0), self._look_everywhere)

    def _look_everywhere(self) -> None:
        self._looks.look_everywhere()
        self._rung.set()

    def _serve(self, lease: Lease, *, held_until: float) -> None:
        serving = Serving(
            lease,
            sender=self._sender,
            pages=self._pages,
            paces=self._paces,
            limits=self._limits,
            held_until=held_until,
            must_yield=lambda: self._is_crowded,
        )
        self._servings[serving] = asyncio.create_task(self._serve_and_release(serving))

    async def _serve_and_release(self, serving: Serving) -> None:
        try:
            await serving.serve()
            serving.is_over = True
            await self._releases(serving.lease)
        except Exception:
            # Not released: the rest of the lease is the pause before somebody tries again.
            logger.exception("Serving lane %s failed; its lease runs out", serving.lease.lane_id)
        finally:
            del self._servings[serving]
        if serving.is_stirred or self._is_crowded:
            self._look_everywhere()

    async def _read_pages(self, wanted: Sequence[tuple[Lease, int]]) -> Sequence[list[Claimed]]:
        now = self._clock.now()
        found = await self._database.run(claiming.due, wanted, now=now)
        for page in found.values():
            if page:
                measuring.QUEUE_LAG.observe(max(0.0, (now - page[0].due_at).total_seconds()))
        return [found[lease.lane_id] for lease, _ in wanted]

    async def _release(self, leases: Sequence[Lease]) -> Sequence[None]:
        await self._database.run(claiming.release, leases, now=self._clock.now())
        return [None] * len(leases)

    async def _beat(self) -> None:
        """Keep the leases of all lanes that are held; leave those that were lost."""
        while True:
            await asyncio.sleep(self._limits.heartbeat)
            try:
                await self._renew(list(self._servings))
                await self._renew_paces([serving.lease for serving in self._servings])
                measuring.LANES_HELD.set(len(self._servings))
                measuring.IN_FLIGHT.set(len(self._sender.under_way))
                await self._reporter.report()
            except Exception:  # whatever it was: without a heart every lane would be lost
                logger.exception("A heartbeat failed; the next is soon")

    async def _renew(self, servings: Sequence[Serving]) -> None:
        if not servings:
            return
        asked_at = time.monotonic()
        held = await self._database.run(
            claiming.renew, [s.lease for s in servings], now=self._clock.now(), lease=self._limits.lease
        )
        for serving in servings:
            if serving.lease.lane_id in held:
                serving.held_until = asked_at + self._limits.lease.total_seconds()
            elif serving in self._servings and not serving.is_over:  # else it is released
                logger.warning("The lease of lane %s was lost", serving.lease.lane_id)
                measuring.LEASES_LOST.inc()
                serving.leave()

    async def _renew_paces(self, held: Sequence[Lease]) -> None:
        await self._paces.learn(held)
        self._paces.forget(held=held)

    async def _wind_down(self) -> None:
        """Let the tries end or give them up, flush, release: in another order lanes wait for ever."""
        for serving in self._servings:
            serving.leave()
        await self._ended(within=self._limits.grace)
        self._sender.interrupt()
        await self._ended(within=SURRENDER_SECONDS)
        for task in self._servings.values():
            task.cancel()

    async def _ended(self, *, within: float) -> None:
        if tasks := set(self._servings.values()):
            await asyncio.wait(tasks, timeout=within)
