"""What it costs to forget a day of attempts: its table is dropped, beside deleting the same rows in batches.

And who notices: what is delivered meanwhile goes to a table beside it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db import connection

from benchmarks import parcels, sink
from benchmarks.figures import Figure, Goal
from benchmarks.outbox_isolation import RATE, steady
from benchmarks.rounds import interleaved, seconds
from benchmarks.servers import Postgres
from projects import clock
from webhooks.ageing import forgetting, partitioning
from webhooks.ageing.partitioning import ATTEMPTS
from webhooks.models import Attempt

DAY: Final = timedelta(days=1)
GOAL: Final = Goal("≤", 1.0, "s")  # of a million
ENDPOINTS: Final = 20

FILL: Final = """
    INSERT INTO webhooks_attempt (
        app_id, message_id, accept_time, event_id, webhook_id, callback_url, number, result, status_code, error,
        detail, started_at, duration_ms, response_body, signed_with
    )
    SELECT
        gen_random_uuid(), gen_random_uuid(), %(day)s, gen_random_uuid(), gen_random_uuid(), '', 1, 'DELIVERED', 200,
        '', '', %(day)s + number * interval '10 milliseconds', 12, convert_to(repeat('ok ', 20), 'UTF8'), '1'
    FROM generate_series(1, %(rows)s) number
"""


def figures(postgres: Postgres, *, full: bool) -> Iterator[Figure]:  # noqa: ARG001 -- a benchmark's shape
    """The median time, how much longer deletion takes in the same rounds, and what is live beside it."""
    rows = 1_000_000 if full else 200_000
    days = iter(range(1, 1000))
    yield from _alone(days, rows)
    yield _beside_deliveries(days, rows, lasting=30 if full else 10)


def _alone(days: Iterator[int], rows: int) -> Iterator[Figure]:
    def dropping() -> float:
        day = _filled(next(days), rows)
        return seconds(lambda: partitioning.drop(ATTEMPTS, older_than=day + timedelta(seconds=1)))

    def deleting() -> float:
        day = _filled(next(days), rows)
        old = Attempt.objects.filter(started_at__gte=day, started_at__lt=day + DAY)
        return seconds(lambda: forgetting.delete(old))

    rounds = interleaved({"dropping": dropping, "deleting": deleting})
    yield Figure("forgetting a day's attempts", _size(rows), rounds.median("dropping"), GOAL)
    ratio = rounds.ratio("deleting", to="dropping")
    yield Figure("forgetting: deletion over dropping", _size(rows), ratio, Goal("≥", 10))
    batch = rounds.median("deleting") / rows * forgetting.BATCH
    yield Figure(
        "forgetting: a batch that is deleted", f"{forgetting.BATCH} rows", batch * 1000, Goal("≤", 50, "ms")
    )


def _beside_deliveries(days: Iterator[int], rows: int, *, lasting: int) -> Figure:
    with sink.running() as receiver:
        webhooks = parcels.make_webhooks([f"{receiver.url}/ok/{n}" for n in range(ENDPOINTS)])
        live = partial(steady, receiver, webhooks, seconds=lasting)

        def drop_soon() -> None:
            day = _filled(next(days), rows)
            threading.Timer(lasting / 2, _drop, [day]).start()

        rounds = interleaved({"alone": lambda: live()[0], "beside": lambda: live(beforehand=drop_soon)[0]})
    size = f"{_size(rows)}, {RATE} live/s"
    ratio = rounds.ratio("beside", to="alone")
    return Figure("live p99 beside forgetting a day to that without", size, ratio, Goal("≤", 1.2))


def _drop(day: datetime) -> None:
    ATTEMPTS.drop(day)
    connection.close()


def _size(rows: int) -> str:
    return f"{rows:,} attempts".replace(",", " ")


def _filled(number: int, rows: int) -> datetime:
    """A day of its own with so many attempts, and a table for it."""
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    day = today + number * DAY
    partitioning.prepare(now=day)
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"day": day, "rows": rows})
        cursor.execute("ANALYZE webhooks_attempt")
    return day
