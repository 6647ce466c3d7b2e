"""The bell that wakes a dispatcher: a hint by Redis. A lost one costs a moment, never an entry."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time

from django.conf import settings
from django.db import connection
from redis import Redis, RedisError
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.2  # for connecting and for an answer
SILENCE_SECONDS = 1.0  # after a failure


def _channel() -> str:
    """Of this database alone: Redis tells its channels to everybody, whatever the number in the URL."""
    return f"outbox:bell:{connection.settings_dict['NAME']}"


class Ringer(threading.Thread):
    """Rings for every thread of the process: however many ask while it rings, it rings once more."""

    def __init__(self) -> None:
        super().__init__(name="outbox-bell", daemon=True)
        self.wanted = threading.Event()

    def run(self) -> None:
        """Ring whenever somebody wants it, until the process ends."""
        redis = Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=PATIENCE_SECONDS,
            socket_connect_timeout=PATIENCE_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        rings = True
        while self.wanted.wait():
            self.wanted.clear()
            try:
                redis.publish(_channel(), b"")
                rings = True
            except RedisError as error:
                if rings:
                    logger.warning("The bell does not ring: %s", error)
                rings = False
                time.sleep(SILENCE_SECONDS)


_ringer: Ringer | None = None
_hiring = threading.Lock()


def ring() -> None:
    """Tell the dispatchers that there is work; returns at once and never fails."""
    ringer = _ringer if _ringer and _ringer.is_alive() else _hire()
    ringer.wanted.set()


def _hire() -> Ringer:
    global _ringer  # noqa: PLW0603 - one thread for the process, started by the first who needs it
    with _hiring:
        if _ringer is None or not _ringer.is_alive():
            _ringer = Ringer()
            _ringer.start()
        return _ringer


def _forget_ringer() -> None:
    """A fork has no threads but its own: it hires anew, under a lock that nobody held at the fork."""
    global _ringer, _hiring
    _ringer, _hiring = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_ringer)


class Listener:
    """Hears the bell for one dispatcher, and comes back by itself when Redis does."""

    def __init__(self, rung: asyncio.Event) -> None:
        self.rung = rung
        self.hears = False

    async def listen(self) -> None:
        """Set the event whenever the bell rings, until cancelled."""
        while True:
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                if self.hears:
                    logger.warning("The bell is not heard: %s", error)
            except Exception:  # whatever it was: an ear that is gone hears nothing ever again
                logger.exception("The bell is not heard")
            self.hears = False
            await asyncio.sleep(SILENCE_SECONDS)

    async def _listen(self) -> None:
        redis = AsyncRedis.from_url(
            settings.REDIS_URL,
            socket_timeout=PATIENCE_SECONDS,
            socket_connect_timeout=PATIENCE_SECONDS,
            retry=AsyncRetry(NoBackoff(), 0),
        )
        async with redis, redis.pubsub() as pubsub:
            await pubsub.subscribe(_channel())
            while True:
                # None is "nothing yet" and a subscription is no ring, but what rang before it was missed.
                message = await pubsub.get_message(timeout=None)
                if message:
                    self.hears = True
                    self.rung.set()
