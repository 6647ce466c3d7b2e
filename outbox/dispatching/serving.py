"""Serving one lane that is held: its entries are tried, a few at once, until nothing is due or it must go."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from outbox.dispatching.batching import Batches
from outbox.dispatching.claiming import Lease
from outbox.dispatching.limits import Limits
from outbox.dispatching.pacing import Paces
from outbox.dispatching.sending import Sender
from outbox.dispatching.settlements import Settlement
from outbox.kinds import Claimed, Decision

FIRST_WIDTH = 2
LONGEST_PAGE = 0.5  # seconds, by the lane's pace
LONGEST_DOZE = 0.25  # seconds without asking whether the lane must go
SHORTEST_DOZE = 0.05  # the turns that come meanwhile are taken together, and share their way to the database


class Serving:
    """A lane in the hands of this dispatcher.

    It starts narrow and widens with each success, so that receivers who hang, however many, hold few of the
    requests that may be in flight; one with a streak of failures gets a single try at a time.
    """

    def __init__(
        self,
        lease: Lease,
        *,
        sender: Sender,
        pages: Batches[tuple[Lease, int], list[Claimed]],
        paces: Paces,
        limits: Limits,
        held_until: float,
        must_yield: Callable[[], bool],
    ) -> None:
        self.lease = lease
        self.held_until = held_until  # by time.monotonic(), from before the claim: never too long
        self.is_stirred = False  # something may have become due since the last page
        self.is_over = False  # set by who releases the lane
        self._sender = sender
        self._pages = pages
        self._paces = paces
        self._limits = limits
        self._must_yield = must_yield
        self._yields_at = time.monotonic() + limits.slice
        self._lingers_until = time.monotonic() + limits.longest_linger
        self._width = 1 if lease.health.fail_streak else FIRST_WIDTH
        self._rested_until = lease.health.paused_until
        self._trying = 0
        # (entry, attempt): a page that was read before a flush still shows what the flush took away.
        self._seen: set[tuple[int, int]] = set()
        self._flushed: set[tuple[int, int]] = set()
        self._is_leaving = False
        self._error: Exception | None = None  # why a try could not be flushed
        self._moved = asyncio.Event()

    async def serve(self) -> None:
        """Return when the lane may be released: no try of it is under way any more."""
        while self._goes_on():
            self.is_stirred = False
            self._forget_flushed()
            wanted = self._page() + self._trying
            page = await self._pages((self.lease, wanted))
            await self._try_each(page)
            if len(page) == wanted:
                continue
            await self._until(lambda: self.is_stirred or not self._trying)
            if not (self.is_stirred or await self._more_comes()):
                break
        await self._until(lambda: not self._trying)
        if self._error:
            raise self._error

    def _page(self) -> int:
        """So few, where it is paced, that an urgent entry does not wait long behind them."""
        return int(min(self._limits.page, self._paces.turns_in(self.lease, seconds=LONGEST_PAGE)))

    def _forget_flushed(self) -> None:
        self._seen -= self._flushed
        self._flushed.clear()

    def stir(self) -> None:
        """Look again, if anything keeps the lane open."""
        self.is_stirred = True
        self._moved.set()

    def leave(self) -> None:
        """Start no further try: the lane is lost, or the dispatcher stops."""
        self._is_leaving = True
        self._moved.set()

    def _may_send(self) -> bool:
        return not self._is_leaving and time.monotonic() < self.held_until

    def _has_room(self) -> bool:
        return self._trying < min(self._width, self.lease.health.most_at_once) or self._is_leaving

    def _goes_on(self) -> bool:
        if self.lease.health.paused_until != self._rested_until or not self._may_send():
            return False
        return time.monotonic() < self._yields_at or not self._must_yield()

    async def _try_each(self, page: list[Claimed]) -> None:
        for claimed in page:
            if (claimed.id, claimed.attempt) in self._seen:
                continue
            if not self._has_room():
                await self._until(self._has_room)
            if not (self._goes_on() and await self._turn_comes()):
                return
            self._seen.add((claimed.id, claimed.attempt))
            self._trying += 1
            self._sender.send(self.lease, claimed, may_send=self._may_send, then=self._tried)

    async def _turn_comes(self) -> bool:
        """Wait for the lane's turn; False where it must go before."""
        while seconds := self._paces.take_turn(self.lease):
            if not self._goes_on():
                return False
            await asyncio.sleep(min(max(seconds, SHORTEST_DOZE), LONGEST_DOZE))
        return True

    async def _more_comes(self) -> bool:
        """Keep the lane that has run dry a little longer; whether something has become due in it meanwhile.

        Giving it back and claiming it anew leaves two dead versions of its row, which everybody who asks for it
        steps over as long as a transaction that began before stays open.
        """
        seconds = min(self._limits.linger, self._lingers_until - time.monotonic())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._until(lambda: self.is_stirred or self._must_yield() or not self._goes_on())
        return self.is_stirred

    def _tried(self, claimed: Claimed, ending: Settlement | Exception | None) -> None:
        self._flushed.add((claimed.id, claimed.attempt))
        self._trying -= 1
        self._moved.set()
        if isinstance(ending, Exception):
            self._error = ending
            self._is_leaving = True
        elif ending and ending.result:
            self._learn(ending.result.verdict.decision)

    def _learn(self, decision: Decision) -> None:
        match decision:
            case Decision.DONE:
                self._width = min(self._width + 1, self.lease.health.width)
            case Decision.RETRY:
                self._width = 1

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            self._moved.clear()
            await self._moved.wait()
