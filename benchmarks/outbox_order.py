"""Whether what is to arrive in order does, though receivers fail now and then and dispatchers die."""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from benchmarks import parcels, sink, worker
from benchmarks.figures import Figure, Goal
from benchmarks.servers import Postgres
from benchmarks.sink import Arrival, Sink
from outbox import lanes
from projects import ids
from webhooks.models import Webhook
from webhooks.publishing import WEBHOOK

ENDPOINTS: Final = 50
LEASE_SECONDS: Final = 3.0
PATIENCE: Final = 240.0  # seconds
RETRY_SECONDS: Final = 0.1


def figures(postgres: Postgres, *, full: bool) -> Iterator[Figure]:  # noqa: ARG001 -- a benchmark's shape
    """One event after the other for each endpoint, two dispatchers, one of which is killed again and again."""
    kills = 20 if full else 6
    os.environ["WEBHOOK_RETRY_BASE"] = str(RETRY_SECONDS)
    with sink.running() as receiver:
        webhooks = parcels.make_webhooks([f"{receiver.url}/flaky/{n}" for n in range(ENDPOINTS)])
        for webhook in webhooks:
            lanes.tune(WEBHOOK, ids.to_uuid(webhook.id), is_ordered=True)
        published = parcels.publish(webhooks, kills * 1000)
        _deliver(receiver, webhooks, kills=kills)
        arrivals = receiver.arrivals()
    size = f"{len(published)} events, {ENDPOINTS} endpoints, {kills} × kill -9, 1 in {sink.FLAKY} fails"
    lost = len(set(published) - {one.mark for one in arrivals})
    yield Figure("in order: lost", size, lost, Goal("≤", 0))
    yield Figure("in order: overtaken", size, _inversions(arrivals), Goal("≤", 0))


def _deliver(receiver: Sink, webhooks: Sequence[Webhook], *, kills: int) -> None:
    with worker.running(2, lease_seconds=LEASE_SECONDS) as workers:
        for _ in range(kills):
            receiver.wait_for(receiver.count() + random.randint(50, 500), seconds=PATIENCE)
            victim = workers.pop(random.randrange(2))
            victim.kill()
            victim.wait()
            workers.append(worker.start(lease_seconds=LEASE_SECONDS))
        parcels.wait_until_empty(seconds=PATIENCE, owners=[ids.to_uuid(webhook.id) for webhook in webhooks])


def _inversions(arrivals: Iterable[Arrival]) -> int:
    """How often an endpoint got something older than what it had: the same once more is no inversion."""
    by_endpoint: dict[str, list[int]] = defaultdict(list)
    for one in arrivals:
        by_endpoint[one.path].append(int(one.mark))
    return sum(later < earlier for marks in by_endpoint.values() for earlier, later in pairwise(marks))
