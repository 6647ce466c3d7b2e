"""Names: one of whose addresses may not be dialled is not dialled at any, whichever libcurl would have taken."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Final

KEPT_SECONDS: Final = 60.0  # as long as libcurl keeps what it was told of a name
PATIENCE: Final = 5.0  # seconds for the resolver
MOST: Final = 10_000  # names that are remembered

Addresses = tuple[str, ...]  # none: nobody knows the name
Then = Callable[[Addresses], None]


class Names:
    """What the resolver told of names not long ago, for one event loop.

    A thread for each look-up: a name server that hangs holds up its own names and no others.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._told: dict[str, tuple[float, Addresses]] = {}  # by name, until when, and what
        self._waiting: dict[str, list[Then]] = {}

    def known(self, name: str) -> Addresses | None:
        """Its addresses; None when they have to be looked up."""
        until, addresses = self._told.get(name, (0.0, ()))
        return addresses if until > self._loop.time() else None

    def look_up(self, name: str, *, then: Then) -> None:
        """Call `then` with the addresses, or with none when nobody knows them in time."""
        waiting = self._waiting.setdefault(name, [])
        waiting.append(then)
        if len(waiting) > 1:
            return
        self._loop.call_later(PATIENCE, self._tell, name, waiting, ())
        threading.Thread(target=self._ask, args=(name, waiting), daemon=True).start()

    def _ask(self, name: str, waiting: list[Then]) -> None:
        addresses = resolved(name)
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile, and nobody waits
            self._loop.call_soon_threadsafe(self._tell, name, waiting, addresses)

    def _tell(self, name: str, waiting: list[Then], addresses: Addresses) -> None:
        if self._waiting.get(name) is not waiting:  # the answer came after the end of our patience, or before
            return
        del self._waiting[name]
        if addresses:
            if len(self._told) >= MOST:
                self._told.clear()
            self._told[name] = (self._loop.time() + KEPT_SECONDS, addresses)
        for then in waiting:
            then(addresses)


def resolved(name: str) -> Addresses:
    """All addresses of a name, as the C library finds them; it has no deadline of its own."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))
