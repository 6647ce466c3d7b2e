"""Whether a dispatcher grows with what it has delivered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import psutil

from benchmarks import parcels, sink, worker
from benchmarks.figures import Figure, Goal
from benchmarks.servers import Postgres

STEP: Final = 10_000
MEBIBYTE: Final = 1024 * 1024


def figures(_postgres: Postgres, *, full: bool) -> Iterator[Figure]:
    """Resident memory after the first ten thousand deliveries, and after all of them."""
    count = 1_000_000 if full else 60_000
    with sink.running() as receiver, worker.running(1) as workers:
        webhooks = parcels.make_webhooks([f"{receiver.url}/ok/{n}" for n in range(100)])
        samples = []
        for _ in range(count // STEP):
            parcels.publish(webhooks, STEP)
            parcels.wait_until_empty(seconds=120.0)
            samples.append(psutil.Process(workers[0].pid).memory_info().rss)
            receiver.forget()
            parcels.forget_history()
    print(f"  {', '.join(f'{sample / MEBIBYTE:.1f}' for sample in samples)} MiB", flush=True)
    size = f"{count:_} deliveries, to that after {STEP:_}".replace("_", " ")
    yield Figure("memory of a dispatcher", size, samples[-1] / samples[0], Goal("≤", 1.1))
