"""Slots: so many at once, and who comes later waits for one."""

from __future__ import annotations

import asyncio
from collections import deque


class Slots:
    """`async with slots:` takes one of them for the time of the block, in the order of asking.

    As asyncio's semaphore, which looks through all who wait whenever one comes or goes: here many wait.
    """

    def __init__(self, count: int) -> None:
        self._free = count  # above 0 only while nobody waits
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the turn had come, and goes to the next
                self._pass_on()
            raise

    async def __aexit__(self, *_error: object) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # else whoever waited was cancelled
                turn.set_result(None)
                return
        self._free += 1
