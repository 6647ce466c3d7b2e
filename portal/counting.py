"""Counting requests: every web process adds to the same numbers in Redis, a few times a minute."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

KEY: Final = "web:requests"
PATIENCE_SECONDS: Final = 0.2
EVERY_SECONDS: Final = 5.0
SECONDS: Final = "seconds"  # beside a status: the time that all requests of the door and method took
# What stands at the beginning of a path; only these and "other" are told.
DOORS: Final = {
    "/v1/": "api",
    "/v2/": "api",
    "/oauth2/": "token",
    "/callbacks/": "callbacks",
    "/admin/": "portal",
    "/static/": "static",
}
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class CountingMiddleware:
    """Counts what every request came to, and how long it took."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, and count the answer."""
        began = time.perf_counter()
        response = self._get_response(request)
        door = next((name for path, name in DOORS.items() if request.path_info.startswith(path)), "other")
        method = request.method if request.method in METHODS else "OTHER"
        _tally.add(door, str(method), response.status_code, seconds=time.perf_counter() - began)
        return response


class Tally:
    """What this process has counted and not yet handed on."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str, str], float] = {}
        self._handed_on_at = time.monotonic()
        self._in_turn = threading.Lock()

    def add(self, door: str, method: str, status: int, *, seconds: float) -> None:
        """Count one more; from time to time hand all on."""
        with self._in_turn:
            for name, number in ((str(status), 1.0), (SECONDS, seconds)):
                place = door, method, name
                self._numbers[place] = self._numbers.get(place, 0.0) + number
            if time.monotonic() - self._handed_on_at < EVERY_SECONDS:
                return
            numbers, self._numbers = self._numbers, {}
            self._handed_on_at = time.monotonic()
        hand_on(numbers)

    def empty(self) -> dict[tuple[str, str, str], float]:
        """All that is left, which is forgotten here."""
        with self._in_turn:
            numbers, self._numbers = self._numbers, {}
            return numbers


def hand_on(numbers: Mapping[tuple[str, str, str], float]) -> None:
    """Add these to the common ones. Without Redis they are lost: they are hints, not books."""
    try:
        with _redis() as redis, redis.pipeline(transaction=False) as pipeline:
            for place, number in numbers.items():
                pipeline.hincrbyfloat(KEY, " ".join(place), number)
            pipeline.execute()
    except RedisError as error:
        logger.warning("Requests are not counted: %s", error)


def counted() -> dict[tuple[str, str, str], float]:
    """The common numbers, with what this process has still kept to itself."""
    hand_on(_tally.empty())
    try:
        with _redis() as redis:
            found = redis.hgetall(KEY)
    except RedisError:
        return {}
    return {_place(place): float(number) for place, number in found.items()}


def _place(name: bytes) -> tuple[str, str, str]:
    door, method, status = name.decode().split(" ")
    return door, method, status


def _redis() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=PATIENCE_SECONDS,
        socket_connect_timeout=PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


_tally = Tally()
