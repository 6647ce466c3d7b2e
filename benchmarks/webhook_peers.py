"""Delivering webhooks, beside the packages that a Django project would take for it: same servers, same receiver."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from django.conf import settings
from django.db import connection

from benchmarks import bare, parcels, peers, rounds, sink
from benchmarks.figures import Figure, Goal
from benchmarks.servers import Postgres
from benchmarks.sink import Sink
from webhooks.models import Webhook

PATIENCE: Final = 120.0  # seconds
DATABASE: Final = "peers"

# The workers, as their documentation starts them. The second makes one job at a time unless told otherwise: with
# 30 it is quickest.
DJANGO_WEBHOOK: Final = "celery -A benchmarks.peer_projects.with_django_webhook worker --loglevel CRITICAL"
PROCRASTINATE: Final = (
    "procrastinate --app=benchmarks.peer_projects.with_procrastinate.app worker --concurrency=30"
)


def figures(postgres: Postgres, *, full: bool) -> Iterator[Figure]:  # noqa: ARG001 -- a benchmark's shape
    """Each empties a queue that was filled before, its worker on one core."""
    times = 5 if full else 1
    with sink.running() as receiver:
        webhooks = parcels.make_webhooks([f"{receiver.url}/ok/{n}" for n in range(bare.ENDPOINTS)])
        _create_database()
        compared = rounds.interleaved(
            {
                "dispatcher": partial(_dispatch, receiver, webhooks, 10_000 * times),
                "django-webhook": partial(
                    _work, receiver, "with_django_webhook", DJANGO_WEBHOOK, 300 * times
                ),
                "procrastinate": partial(_work, receiver, "with_procrastinate", PROCRASTINATE, 2000 * times),
            }
        )
    for name, goal in {"django-webhook": 30, "procrastinate": 10}.items():
        size = f"{len(webhooks)} endpoints, the peer makes {compared.median(name):.0f}/s"
        yield Figure(
            f"webhook deliveries to {name}", size, compared.ratio("dispatcher", to=name), Goal("≥", goal)
        )


def _create_database() -> None:
    """For the peers' tables, on the same server."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {DATABASE}")


def _dispatch(receiver: Sink, webhooks: Sequence[Webhook], count: int) -> float:
    parcels.empty()
    parcels.publish(webhooks, count)
    parcels.settle()
    receiver.forget()
    with parcels.dispatching():
        parcels.wait_until_empty(seconds=PATIENCE)
    return _rate(receiver)


def _work(receiver: Sink, project: str, worker: str, count: int) -> float:
    """Fill the project's queue, then let its worker run on the core on which dispatchers do."""
    # What they warn of is theirs to mend.
    command, environment = [str(peers.python()), "-W", "ignore", "-m"], _environment()
    receiver.forget()
    fill = [*command, "benchmarks.peer_projects", project, receiver.url, str(count)]
    subprocess.run(fill, env=environment, check=True)
    with (
        _pinned(),
        subprocess.Popen(
            [*command, *worker.split()],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as working,
    ):
        try:
            receiver.wait_for(count, seconds=PATIENCE)
        finally:
            working.terminate()
    return _rate(receiver)


def _rate(receiver: Sink) -> float:
    """Requests a second from the first to the last: how long a worker takes to start does not count."""
    moments = [one.at for one in receiver.arrivals()]
    return (len(moments) - 1) / (max(moments) - min(moments))


def _environment() -> dict[str, str]:
    """The same servers: libpq reads the one's name there, the project the other's."""
    server = connection.get_connection_params()
    names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password"}
    place = {variable: str(server[name]) for variable, name in names.items() if name in server}
    return {**os.environ, **place, "PGDATABASE": DATABASE, "BROKER_URL": settings.CELERY_BROKER_URL}


@contextlib.contextmanager
def _pinned() -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sink.HERE})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
