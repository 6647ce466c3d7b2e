"""The one door to the network: a request goes out, a response comes back, and nothing is raised."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable

import certifi
import pycurl

from gateway.addresses import Guard
from gateway.exchange import Request, Response, Timings
from gateway.names import Addresses, Names
from gateway.sockets import Sockets
from gateway.transfer import Transfer

__all__ = ["Client", "Request", "Response", "Timings"]

KEPT_CONNECTIONS = 512

Then = Callable[[Response], None]


class Client:
    """Sends requests from one event loop, over connections that are kept between them.

    `proxy` is the operator's egress proxy; it then decides about names, the guard about literal addresses.
    `ca_file` holds the trusted authorities in PEM.

        async with Client(guard=default_guard()) as client:
            response = await client.send(Request("GET", "https://example.com/"))
    """

    def __init__(self, *, guard: Guard, proxy: str = "", ca_file: str = "") -> None:
        self._new_transfer = functools.partial(
            Transfer, guard=guard, proxy=proxy, ca_file=ca_file or certifi.where()
        )
        self._idle: list[Transfer] = []
        self._busy: dict[pycurl.Curl, tuple[Transfer, Then]] = {}
        self._awaited: set[asyncio.Future[Response]] = set()

    async def __aenter__(self) -> Client:
        self._loop = asyncio.get_running_loop()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, KEPT_CONNECTIONS)
        self._sockets = Sockets(self._multi, on_ended=self._finish)
        self._names = Names()
        return self

    async def __aexit__(self, *_error: object) -> None:
        for curl in list(self._busy):
            self._release(curl)
        for future in self._awaited:
            future.cancel()
        for transfer in self._idle:
            transfer.curl.close()
        self._idle.clear()
        self._multi.close()
        self._sockets.close()

    async def send(self, request: Request) -> Response:
        """The answer, or a response whose `error` says why there is none."""
        if request.answer is not None:
            return request.answer
        future: asyncio.Future[Response] = self._loop.create_future()
        self._awaited.add(future)
        give_up = self.start(request, then=functools.partial(_tell, future))
        try:
            return await future
        finally:
            self._awaited.discard(future)
            give_up()

    def start(self, request: Request, *, then: Then) -> Callable[[], None]:
        """Send it, and call `then` with what `send` would give, later and once; what this gives gives it up.

        For who sends so much that a task for each is too dear. Of what the client's end interrupts, nothing is told.
        """
        if request.answer is not None:
            return self._loop.call_soon(then, request.answer).cancel
        transfer = self._idle.pop() if self._idle else self._new_transfer()
        if refusal := transfer.aim(request):
            self._idle.append(transfer)
            return self._loop.call_soon(then, refusal).cancel
        self._busy[transfer.curl] = (transfer, then)
        if not transfer.name:
            self._begin(transfer)
        elif addresses := self._names.known(transfer.name):
            self._meet(transfer, then, addresses)
        else:
            self._names.look_up(transfer.name, then=functools.partial(self._meet, transfer, then))
        return functools.partial(self._give_up, transfer.curl, then)

    def _meet(self, transfer: Transfer, then: Then, addresses: Addresses) -> None:
        """Go on with what the name stands for."""
        if not self._is_busy(transfer.curl, then):
            return
        if refusal := transfer.refusal_of(addresses):
            self._loop.call_soon(self._refuse, transfer, then, refusal)
        else:
            self._begin(transfer)

    def _begin(self, transfer: Transfer) -> None:
        transfer.is_under_way = True
        self._multi.add_handle(transfer.curl)

    def _refuse(self, transfer: Transfer, then: Then, refusal: Response) -> None:
        if self._is_busy(transfer.curl, then):
            self._release(transfer.curl)
            then(refusal)

    def _give_up(self, curl: pycurl.Curl, then: Then) -> None:
        if self._is_busy(curl, then):
            self._release(curl)

    def _is_busy(self, curl: pycurl.Curl, then: Then) -> bool:
        """Whether still with this request: once it has ended or was given up, it may be with another."""
        return curl in self._busy and self._busy[curl][1] is then

    def _release(self, curl: pycurl.Curl) -> tuple[Transfer, Then]:
        transfer, then = self._busy.pop(curl)
        if transfer.is_under_way:
            self._multi.remove_handle(curl)
            transfer.is_under_way = False
        self._idle.append(transfer)
        return transfer, then

    def _finish(self, curl: pycurl.Curl, code: int, detail: str) -> None:
        transfer, then = self._release(curl)
        then(transfer.response(code, detail))


def _tell(future: asyncio.Future[Response], response: Response) -> None:
    if not future.done():  # else whoever waited was cancelled
        future.set_result(response)
