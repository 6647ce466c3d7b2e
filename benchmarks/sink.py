"""The other side: a server on loopback that answers as its path says and remembers what came, and when.

It runs in a process of its own (`python -m benchmarks.sink`), pinned to the last core, and speaks just as much
HTTP as it must, so that it is never what is measured. What a request is about stands in its body, as
`"mark":"…"`.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.request import urlopen

import uvloop

HERE: Final = min(os.sched_getaffinity(0))  # the core on which the dispatcher works
THERE: Final = max(os.sched_getaffinity(0))  # the sink's
SLOW_SECONDS: Final = 0.01
FLAKY: Final = 20  # one in so many fails
_OK: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
_FAILED: Final = b"HTTP/1.1 500 Failed\r\ncontent-length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request that came."""

    path: str
    mark: str
    at: float  # by time.monotonic(), which all processes of a machine share


class Sink:
    """The server's remote control. `/ok`, `/slow`, `/flaky`, `/hang` and `/e500` say how it answers."""

    def __init__(self, url: str) -> None:
        self.url = url

    def count(self) -> int:
        """How many requests have come."""
        return int(self._ask("count"))

    def arrivals(self) -> list[Arrival]:
        """All that have come, in their order."""
        return [Arrival(*one) for one in json.loads(self._ask("arrivals"))]

    def forget(self) -> None:
        """Begin anew."""
        self._ask("forget")

    def heal(self) -> None:
        """From now on what failed succeeds."""
        self._ask("heal")

    def wait_for(self, count: int, *, seconds: float) -> None:
        """Return when so many have come. Raises TimeoutError."""
        end = time.monotonic() + seconds
        while (come := self.count()) < count:
            if time.monotonic() > end:
                raise TimeoutError(f"{come} of {count} requests came in {seconds:.0f} s.")
            time.sleep(0.005)

    def _ask(self, what: str) -> bytes:
        with urlopen(f"{self.url}/-/{what}", timeout=30) as answer:  # noqa: S310 -- our own server
            return bytes(answer.read())


@contextmanager
def running() -> Iterator[Sink]:
    """A sink for the time of the block."""
    command = [sys.executable, "-m", "benchmarks.sink"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout  # noqa: S101 -- asked for above
            yield Sink(f"http://127.0.0.1:{process.stdout.readline().strip()}")
        finally:
            process.kill()


class _State:
    def __init__(self) -> None:
        self.arrivals: list[tuple[str, str, float]] = []
        self.failed = _FAILED

    def told(self, what: str) -> bytes:
        match what:
            case "forget":
                self.arrivals.clear()
            case "heal":
                self.failed = _OK
            case "count":
                return str(len(self.arrivals)).encode()
            case "arrivals":
                return json.dumps(self.arrivals).encode()
        return b""


class _Exchange(asyncio.Protocol):
    def __init__(self, state: _State) -> None:
        self._state = state
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # of a stream

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            length = _number_after(head.lower(), b"content-length: ")
            if len(self._received) < end + 4 + length:
                return
            body = self._received[end + 4 : end + 4 + length]
            self._received = self._received[end + 4 + length :]
            self._answer(head.split(b" ", 2)[1].decode(), body)

    def _answer(self, path: str, body: bytes) -> None:
        if path.startswith("/-/"):
            said = self._state.told(path[3:])
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(said), said))
            return
        mark = body.partition(b'"mark":"')[2].partition(b'"')[0].decode()
        self._state.arrivals.append((path, mark, time.monotonic()))
        if path.startswith("/slow"):
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self._write_unless_gone, _OK)
        elif not path.startswith("/hang"):
            fails = path.startswith("/e500") or (path.startswith("/flaky") and not random.randrange(FLAKY))
            self._transport.write(self._state.failed if fails else _OK)

    def _write_unless_gone(self, answer: bytes) -> None:
        if not self._transport.is_closing():  # who asked was killed meanwhile
            self._transport.write(answer)


def _number_after(head: bytes, name: bytes) -> int:
    return int(head.partition(name)[2].partition(b"\r\n")[0] or 0)


async def _serve() -> None:
    state = _State()
    server = await asyncio.get_running_loop().create_server(
        lambda: _Exchange(state), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def duplicates(arrivals: list[Arrival]) -> int:
    """How many came again that had come before."""
    return sum(times - 1 for times in Counter((one.path, one.mark) for one in arrivals).values())


if __name__ == "__main__":
    os.sched_setaffinity(0, {THERE})
    uvloop.run(_serve())
