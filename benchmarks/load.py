"""Clients of an API: a few connections that stay open, each asking again as soon as it is answered."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from threading import Lock
from typing import Final

import pycurl

CLIENTS: Final = 4


@dataclass(frozen=True, slots=True)
class Ask:
    """A request: a POST if it has a body."""

    path: str
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answers:
    """How many there were in which time."""

    count: int
    seconds: float

    @property
    def rate(self) -> float:
        """A second."""
        return self.count / self.seconds


class Load:
    """All the clients, with one bearer token; libcurl makes their requests, so that they cost the machine little."""

    def __init__(self, base_url: str, *, token: str) -> None:
        self._clients = [_Client(base_url, token) for _ in range(CLIENTS)]

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections: the server waits for them before it ends."""
        for client in self._clients:
            client.close()

    def answer(self, ask: Ask) -> bytes:
        """What one client gets."""
        return self._clients[0].answer(ask)

    def answers(self, asks: Iterable[Ask], *, seconds: float) -> Answers:
        """How many all clients together get, the requests over and over again."""
        turns = _Turns(asks)
        started = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as threads:
            waiting = [
                threads.submit(client.count_answers, turns, until=started + seconds)
                for client in self._clients
            ]
            count = sum(one.result() for one in waiting)
        return Answers(count, time.perf_counter() - started)


class _Client:
    def __init__(self, base_url: str, token: str) -> None:
        self._base_url = base_url
        self._curl = pycurl.Curl()
        self._curl.setopt(pycurl.NOPROXY, "*")
        self._curl.setopt(
            pycurl.HTTPHEADER,
            [f"Authorization: Bearer {token}", "Content-Type: application/json", "Expect:"],
        )

    def count_answers(self, turns: Iterator[Ask], *, until: float) -> int:
        count = 0
        while time.perf_counter() < until:
            self.answer(next(turns))
            count += 1
        return count

    def answer(self, ask: Ask) -> bytes:
        answer = BytesIO()
        self._curl.setopt(pycurl.URL, self._base_url + ask.path)
        if ask.body:
            self._curl.setopt(pycurl.POSTFIELDS, ask.body)
        else:
            self._curl.setopt(pycurl.HTTPGET, 1)
        self._curl.setopt(pycurl.WRITEDATA, answer)
        self._curl.perform()
        if (status := self._curl.getinfo(pycurl.RESPONSE_CODE)) != 200:
            raise RuntimeError(f"{ask.path} is answered with {status}: {answer.getvalue()[:500]!r}")
        return answer.getvalue()

    def close(self) -> None:
        self._curl.close()


class _Turns:
    """The requests one after the other and over again, for whichever thread is next."""

    def __init__(self, asks: Iterable[Ask]) -> None:
        self._asks = itertools.cycle(asks)
        self._lock = Lock()

    def __iter__(self) -> Iterator[Ask]:
        return self

    def __next__(self) -> Ask:
        with self._lock:
            return next(self._asks)
