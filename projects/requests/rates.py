"""How often something may happen, counted in Redis by all processes together.

One request by its own round trip costs some 45 µs of CPU, whether by INCRBY or by a script; from a bundle of 8, 7 µs.
Without Redis nothing fails or waits: each process then keeps the limit by itself.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from django.conf import settings
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.05  # for connecting and for an answer
SILENCE_SECONDS = 5.0  # after a failure
GUESSES: Final = 10  # that a key id may have in `GUESSING_SECONDS`
GUESSING_SECONDS: Final = 60
_BUNDLES: Final = 100  # that make up a limit: so much of it may lie unused in a process when the second ends


def admits(subject: str, *, limit: int) -> bool:
    """Whether it may happen once more in this second; a limit of 0 is none."""
    return not limit or _permits.take(subject, limit=limit)


def is_guessing(subject: str) -> bool:
    """Count a wrong answer; whether there were too many of them lately."""
    window = int(time.time() // GUESSING_SECONDS)
    guesses = _counts.add(f"guesses:{subject}:{window}", 1, seconds=2 * GUESSING_SECONDS)
    return guesses is not None and guesses > GUESSES


class Counts:
    """Numbers that all processes add to. While Redis is away nobody is asked for long."""

    def __init__(self) -> None:
        self._redis: Redis | None = None
        self._silent_until = 0.0

    def add(self, name: str, number: int, *, seconds: int) -> int | None:
        """The sum so far, forgotten after `seconds`; None when nobody knows."""
        if time.monotonic() < self._silent_until:
            return None
        try:
            with self._client().pipeline(transaction=False) as pipeline:
                pipeline.incrby(name, number)
                pipeline.expire(name, seconds)
                return int(pipeline.execute()[0])
        except RedisError as error:
            self._silent_until = time.monotonic() + SILENCE_SECONDS
            logger.warning("Rates are not counted in common: %s", error)
            return None

    def _client(self) -> Redis:
        self._redis = self._redis or Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=PATIENCE_SECONDS,
            socket_connect_timeout=PATIENCE_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        return self._redis


class Permits:
    """What this process may still do in the present second, taken from the common count in bundles."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._lock = threading.Lock()
        self._second = 0
        self._left: dict[str, int] = {}
        self._exhausted: set[str] = set()  # there are no more bundles

    def take(self, subject: str, *, limit: int) -> bool:
        """Take one, if there is one left."""
        with self._lock:
            self._begin(int(time.time()))
            if not self._left.get(subject) and subject not in self._exhausted:
                self._take_bundle(subject, limit)
            if not self._left.get(subject):
                return False
            self._left[subject] -= 1
            return True

    def _begin(self, second: int) -> None:
        if second != self._second:
            self._second = second
            self._left.clear()
            self._exhausted.clear()

    def _take_bundle(self, subject: str, limit: int) -> None:
        bundle = max(1, limit // _BUNDLES)
        taken = self._counts.add(f"rate:{subject}:{self._second}", bundle, seconds=10)
        if taken is None:
            bundle = taken = limit
        self._left[subject] = max(0, bundle - max(0, taken - limit))
        if taken >= limit:
            self._exhausted.add(subject)


_counts = Counts()
_permits = Permits(_counts)
