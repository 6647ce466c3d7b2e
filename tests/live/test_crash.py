"""`kill -9` of every process in the middle of the work loses nothing that was promised."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.live.conftest import Client, Subscriber
from tests.live.house import House, new_house, wait_until

pytestmark = [pytest.mark.live, pytest.mark.long, pytest.mark.xdist_group("live"), pytest.mark.timeout(400)]

SENDS = int(os.environ.get("CRASH_SENDS", "300"))


@pytest.fixture
def client(house: House) -> Iterator[Client]:
    with Client(house) as client:
        yield client


@pytest.fixture
def house() -> Iterator[House]:
    with new_house(WEBHOOK_RETRY_BASE="1") as house:
        yield house.start()


def test_every_send_that_was_answered_is_delivered_after_a_crash(
    house: House, client: Client, subscriber: Subscriber
) -> None:
    app_id = client.make_app("Crash")
    client.subscribe(app_id, subscriber.target)
    promised: list[str] = []

    def keep_sending() -> None:
        for number in range(SENDS):
            if message_id := client.send(app_id, number):
                promised.append(message_id)

    sender = threading.Thread(target=keep_sending)
    sender.start()
    wait_until(lambda: len(promised) >= SENDS // 3, seconds=60, what="a third of the sends")
    house.kill()
    sender.join()
    house.start()
    restarted = time.monotonic()

    def outstanding() -> set[str]:
        submitted = {body["message_id"] for body in subscriber.bodies("message_submit_notification")}
        return set(promised) - (subscriber.delivered() & submitted)

    wait_until(lambda: not outstanding(), seconds=120, what="every promised delivery")
    assert len(promised) >= SENDS // 3
    assert time.monotonic() - restarted < 120
    bodies: dict[tuple[str, str, str], set[bytes]] = defaultdict(set)
    for _, raw in subscriber.requests:
        event = json.loads(raw)
        kind = (
            "message_delivery_report" if "message_delivery_report" in event else "message_submit_notification"
        )
        bodies[kind, event[kind]["message_id"], event[kind].get("status", "")].add(raw)
    assert all(len(versions) == 1 for versions in bodies.values()), "a repeat had another body"
