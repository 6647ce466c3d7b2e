"""Servers on loopback, as the other side of the wall: they count who connects and answer as told."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import ip_network

from gateway.addresses import Guard

LOOPBACK = Guard([ip_network("127.0.0.0/8"), ip_network("::1/128")])
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Received:
    head: str
    body: bytes

    def header(self, name: str) -> str | None:
        for line in self.head.split("\r\n")[1:]:
            found, _, value = line.partition(":")
            if found.lower() == name.lower():
                return value.strip()
        return None


Answer = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


async def answer_ok(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)


async def hang(_: Received, __: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


def answering(raw: bytes) -> Answer:
    async def answer(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return answer


@dataclass
class Server:
    answer: Answer
    scheme: str = "http"
    port: int = 0
    connections: int = 0
    requests: list[Received] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                received = Received(head, b"")
                received.body = await reader.readexactly(int(received.header("content-length") or 0))
                self.requests.append(received)
                await self.answer(received, writer)
                await writer.drain()
                if writer.is_closing():
                    break
        writer.close()


@contextlib.asynccontextmanager
async def serving(
    answer: Answer = answer_ok, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Server]:
    server = Server(answer, scheme="https" if tls else "http")
    listener = await asyncio.start_server(server.serve, host, 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in list(server.tasks):
            task.cancel()
        await asyncio.gather(*server.tasks, return_exceptions=True)
