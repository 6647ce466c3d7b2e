"""Batches that form by themselves: what arrives while one is at work makes the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batches(Generic[Item, Answer]):
    """Lets many share one round trip.

    `work` gets at most `size` items and gives one answer for each, in their order. When it raises, all of
    that batch get the exception.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]], *, size: int) -> None:
        self._work = work
        self._size = size
        self._waiting: list[tuple[Item, Callable[[Answer | Exception], None]]] = []
        self._worker: asyncio.Task[None] | None = None

    def hand_in(self, item: Item, then: Callable[[Answer | Exception], None]) -> None:
        """Call `then` with the item's answer, or with what was raised instead."""
        self._waiting.append((item, then))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work_off())

    async def __call__(self, item: Item) -> Answer:
        """Hand in one item and wait for its answer."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.hand_in(item, partial(_tell, future))
        return await future

    async def _work_off(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._size], self._waiting[self._size :]
            answers: Sequence[Answer | Exception]
            try:
                answers = await self._work([item for item, _ in batch])
            except Exception as error:
                answers = [error] * len(batch)
            for (_, then), answer in zip(batch, answers, strict=True):
                then(answer)
        self._worker = None


def _tell(future: asyncio.Future[Answer], answer: Answer | Exception) -> None:
    if future.done():  # whoever waited was cancelled; the item was worked off all the same
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
