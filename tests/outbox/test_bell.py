"""The bell is a hint: with Redis away it costs nobody anything, and it comes back by itself."""

from __future__ import annotations

import asyncio
import os
import socket
import time

import pytest

from outbox import bell
from outbox.bell import Listener


@pytest.fixture
def fresh_bell(monkeypatch):
    """As in a process that never rang, so that it takes the test's REDIS_URL."""
    monkeypatch.setattr(bell, "_ringer", None)


def heard(*, rings: int, within: float) -> bool:
    async def listen() -> bool:
        rung = asyncio.Event()
        listener = Listener(rung)
        ear = asyncio.create_task(listener.listen())
        while not listener.hears:
            await asyncio.sleep(0.01)
        rung.clear()
        for _ in range(rings):
            bell.ring()
        try:
            async with asyncio.timeout(within):
                await rung.wait()
        except TimeoutError:
            return False
        finally:
            ear.cancel()
        return True

    return asyncio.run(listen())


def test_a_ring_is_heard(fresh_bell):
    assert heard(rings=1, within=2.0)


def test_a_storm_of_rings_is_heard(fresh_bell):
    assert heard(rings=1000, within=2.0)


def test_ringing_without_redis_is_quick_and_silent(fresh_bell, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    began_at = time.monotonic()

    for _ in range(100):
        bell.ring()

    assert time.monotonic() - began_at < 0.5


def test_ringing_a_redis_that_never_answers_is_quick(fresh_bell, settings):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings.REDIS_URL = f"redis://127.0.0.1:{mute.getsockname()[1]}/0"
        began_at = time.monotonic()

        for _ in range(100):
            bell.ring()

        assert time.monotonic() - began_at < 0.5


def test_a_listener_hears_again_when_redis_returns(settings, fresh_bell, monkeypatch):
    monkeypatch.setattr(bell, "SILENCE_SECONDS", 0.05)
    url = settings.REDIS_URL

    async def story() -> None:
        rung = asyncio.Event()
        listener = Listener(rung)
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        ear = asyncio.create_task(listener.listen())
        await asyncio.sleep(0.2)
        assert not listener.hears
        settings.REDIS_URL = url
        async with asyncio.timeout(2.0):
            await rung.wait()
        assert listener.hears
        ear.cancel()

    asyncio.run(story())


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # that is what is tested
def test_a_fork_rings_with_a_thread_of_its_own(fresh_bell):
    async def listen_to_a_fork() -> None:
        rung = asyncio.Event()
        listener = Listener(rung)
        ear = asyncio.create_task(listener.listen())
        while not listener.hears:
            await asyncio.sleep(0.01)
        rung.clear()
        if os.fork() == 0:
            bell.ring()
            time.sleep(1)
            os._exit(0)
        async with asyncio.timeout(5):
            await rung.wait()
        ear.cancel()

    bell.ring()
    asyncio.run(listen_to_a_fork())
    os.wait()
