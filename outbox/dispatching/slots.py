"""Slots: so many at once, and who comes later is called when there is one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable


class Slots:
    """Calls each who takes one when it has it, at once or later, in the order of asking.

    Without a future for each: many take one, and few wait.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_calling = False

    def take(self, then: Callable[[], None]) -> None:
        """Call `then` with a slot, which it owes to `give_back`."""
        if self._free and not self._waiting:
            self._free -= 1
            then()
        else:
            self._waiting.append(then)

    def give_back(self) -> None:
        """Let the next have it."""
        self._free += 1
        if self._is_calling:  # by one who was called and needs it no longer: the loop below goes on with it
            return
        self._is_calling = True
        try:
            while self._free and self._waiting:
                self._free -= 1
                self._waiting.popleft()()
        finally:
            self._is_calling = False
