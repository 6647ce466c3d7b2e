"""Without Redis requests still succeed and messages still leave; when it is back, all is as before."""

from __future__ import annotations

import contextlib
import json
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal import embedded
from portal.embedded import valkey
from tests.live.conftest import Client, Subscriber
from tests.live.house import House, new_house, wait_until

pytestmark = [pytest.mark.live, pytest.mark.long, pytest.mark.xdist_group("live"), pytest.mark.timeout(300)]


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """The data folder of a Redis that is not the house's own."""
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def degraded(house: House) -> list[str]:
    with urllib.request.urlopen(f"{house.facts['base_url']}/readyz", timeout=10) as answer:
        names: list[str] = json.load(answer)["degraded"]
        return names


def test_requests_succeed_while_redis_is_down_and_events_leave(
    elsewhere: Path, subscriber: Subscriber
) -> None:
    server = valkey.start(elsewhere, seconds=30)
    with contextlib.ExitStack() as stack:
        house = stack.enter_context(new_house(REDIS_URL=embedded.redis_url(elsewhere))).start()
        client = stack.enter_context(Client(house))
        app_id = client.make_app("Redis")
        client.subscribe(app_id, subscriber.target)

        server.stop()
        sent = [client.send(app_id, number) for number in range(10)]
        assert all(sent), "a send was refused while Redis was down"
        assert degraded(house) == ["broker"]
        wait_until(lambda: subscriber.delivered() >= set(sent), seconds=60, what="deliveries without Redis")

        server = valkey.start(elsewhere, seconds=30)
        later = client.send(app_id, 11)
        wait_until(lambda: later in subscriber.delivered(), seconds=60, what="a delivery after its return")
        assert degraded(house) == []
        assert house.stop() == 0
    server.stop()
