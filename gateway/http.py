"""The one door to the network: a request goes out, a response comes back, and nothing is raised."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import certifi
import pycurl

from gateway.addresses import Guard
from gateway.exchange import Request, Response, Timings
from gateway.transfer import Transfer

__all__ = ["Client", "Request", "Response", "Timings"]

KEPT_CONNECTIONS = 512


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
        self._busy: dict[pycurl.Curl, tuple[Transfer, asyncio.Future[Response]]] = {}
        self._watched: dict[int, int] = {}  # file descriptor → pycurl.POLL_*
        self._timer: asyncio.Handle | None = None

    async def __aenter__(self) -> Client:
        self._loop = asyncio.get_running_loop()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._schedule)
        self._multi.setopt(pycurl.M_MAXCONNECTS, KEPT_CONNECTIONS)
        return self

    async def __aexit__(self, *_error: object) -> None:
        for curl, (_, future) in list(self._busy.items()):
            self._release(curl)
            future.cancel()
        self._schedule(-1)
        for transfer in self._idle:
            transfer.curl.close()
        self._idle.clear()
        self._multi.close()
        for descriptor in list(self._watched):
            self._watch(pycurl.POLL_REMOVE, descriptor)

    async def send(self, request: Request) -> Response:
        """The answer, or a response whose `error` says why there is none."""
        if request.answer is not None:
            return request.answer
        transfer = self._idle.pop() if self._idle else self._new_transfer()
        if refusal := transfer.aim(request):
            self._idle.append(transfer)
            return refusal
        future: asyncio.Future[Response] = self._loop.create_future()
        self._busy[transfer.curl] = (transfer, future)
        self._multi.add_handle(transfer.curl)
        try:
            return await future
        finally:
            if transfer.curl in self._busy:  # cancelled
                self._release(transfer.curl)
            self._idle.append(transfer)  # not sooner: another request would take it over

    def _release(self, curl: pycurl.Curl) -> tuple[Transfer, asyncio.Future[Response]]:
        self._multi.remove_handle(curl)
        return self._busy.pop(curl)

    def _watch(self, wanted: int, descriptor: int, *_: Any) -> None:
        """libcurl asks to be told when this socket can be read or written."""
        watched = self._watched.pop(descriptor, pycurl.POLL_NONE)
        if wanted == pycurl.POLL_REMOVE:
            wanted = pycurl.POLL_NONE
        if watched & ~wanted & pycurl.POLL_IN:
            self._loop.remove_reader(descriptor)
        if watched & ~wanted & pycurl.POLL_OUT:
            self._loop.remove_writer(descriptor)
        if wanted & ~watched & pycurl.POLL_IN:
            self._loop.add_reader(descriptor, self._act, descriptor, pycurl.CSELECT_IN)
        if wanted & ~watched & pycurl.POLL_OUT:
            self._loop.add_writer(descriptor, self._act, descriptor, pycurl.CSELECT_OUT)
        if wanted:
            self._watched[descriptor] = wanted

    def _schedule(self, milliseconds: int) -> None:
        """libcurl asks to be called after this time; -1: no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if milliseconds >= 0:
            self._timer = self._loop.call_later(
                milliseconds / 1000, self._act, pycurl.SOCKET_TIMEOUT, pycurl.POLL_NONE
            )

    def _act(self, descriptor: int, readiness: int) -> None:
        self._multi.socket_action(descriptor, readiness)
        waiting = True
        while waiting:
            waiting, answered, failed = self._multi.info_read()
            for curl in answered:
                self._finish(curl, pycurl.E_OK, "")
            for curl, code, detail in failed:
                self._finish(curl, code, detail)

    def _finish(self, curl: pycurl.Curl, code: int, detail: str) -> None:
        transfer, future = self._release(curl)
        if not future.done():
            future.set_result(transfer.response(code, detail))
