"""How much one dispatcher delivers, beside bare loops that only send, and what the queue itself costs."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks import bare, parcels, peers, rounds, sink
from benchmarks.figures import Figure, Goal
from benchmarks.servers import Postgres
from benchmarks.sink import Sink
from outbox import kinds
from webhooks.models import Webhook

EVENTS: Final = 20_000
PATIENCE: Final = 300.0  # seconds


def figures(postgres: Postgres, *, full: bool) -> Iterator[Figure]:
    """A dispatcher against bare loops, then on its own."""
    kinds.register(parcels.Blanks())
    with sink.running() as receiver:
        webhooks = parcels.make_webhooks([f"{receiver.url}/ok/{n}" for n in range(bare.ENDPOINTS)])
        yield from _against_bare_loops(receiver, webhooks)
    yield from _of_the_queue(postgres, count=100_000 if full else 30_000)


def _against_bare_loops(receiver: Sink, webhooks: Sequence[Webhook]) -> Iterator[Figure]:
    size = f"{EVENTS:_} events, {len(webhooks)} endpoints".replace("_", " ")
    compared = rounds.interleaved(
        {
            "dispatcher": partial(_deliver, receiver, webhooks),
            "aiohttp": partial(_loop, receiver, peers.python(), "aiohttp"),
            "pycurl": partial(_loop, receiver, Path(sys.executable), "pycurl"),
        }
    )
    by_aiohttp = compared.ratio("dispatcher", to="aiohttp")
    yield Figure("webhook deliveries to bare aiohttp", size, by_aiohttp, Goal("≥", 1.2))
    by_pycurl = compared.ratio("dispatcher", to="pycurl")
    yield Figure("webhook deliveries to bare pycurl", size, by_pycurl, Goal("≥", 0.5))


def _deliver(receiver: Sink, webhooks: Sequence[Webhook]) -> float:
    """All of it: claimed, loaded, signed, sent, recorded; events a second, once the dispatcher has started."""
    parcels.empty()
    parcels.publish(webhooks, EVENTS)
    parcels.settle()
    receiver.forget()
    with parcels.dispatching():
        receiver.wait_for(1, seconds=PATIENCE)
        before = receiver.count()
        seconds = rounds.seconds(partial(parcels.wait_until_empty, seconds=PATIENCE))
    if receiver.count() != EVENTS:
        raise RuntimeError(f"{receiver.count()} requests came for {EVENTS} events.")
    return (EVENTS - before) / seconds


def _loop(receiver: Sink, python: Path, name: str) -> float:
    receiver.forget()
    command = [str(python), "-m", "benchmarks.bare", name, receiver.url, str(EVENTS)]
    return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def _of_the_queue(postgres: Postgres, *, count: int) -> Iterator[Figure]:
    """Entries that ask nobody: what is left is claiming, reading, flushing."""
    size = f"{count:_} entries, 100 lanes, nothing sent".replace("_", " ")
    rates, workers, servers = zip(*(_blank(postgres, count) for _ in range(rounds.ROUNDS)), strict=True)
    yield Figure("queue alone", size, median(rates), Goal("≥", 8000, "/s"))
    yield Figure("queue alone: worker's CPU", size, median(workers), Goal("≤", 80, "µs"))
    yield Figure("queue alone: PostgreSQL's CPU", size, median(servers), Goal("≤", 100, "µs"))


def _blank(postgres: Postgres, count: int) -> tuple[float, float, float]:
    parcels.empty()
    parcels.put_blanks(count, lanes=100)
    parcels.settle()
    with parcels.dispatching():
        worker, server, began_at = rounds.own_cpu_seconds(), postgres.cpu_seconds(), time.perf_counter()
        parcels.wait_until_empty(seconds=PATIENCE)
        seconds = time.perf_counter() - began_at
        worker, server = rounds.own_cpu_seconds() - worker, postgres.cpu_seconds() - server
    return count / seconds, worker / count * 1e6, server / count * 1e6
