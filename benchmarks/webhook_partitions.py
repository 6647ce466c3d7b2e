"""What it costs to forget a day of attempts: its table is dropped, beside deleting the same rows in batches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from benchmarks.figures import Figure, Goal
from benchmarks.rounds import interleaved, seconds
from benchmarks.servers import Postgres
from projects import clock
from webhooks.ageing import forgetting, partitioning
from webhooks.ageing.partitioning import ATTEMPTS
from webhooks.models import Attempt

DAY: Final = timedelta(days=1)
GOAL: Final = Goal("≤", 1.0, "s")  # of a million

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
    """The median time, and how much longer deletion takes in the same rounds."""
    rows = 1_000_000 if full else 200_000
    days = iter(range(1, 1000))

    def dropping() -> float:
        day = _filled(next(days), rows)
        return seconds(lambda: partitioning.drop(ATTEMPTS, older_than=day + timedelta(seconds=1)))

    def deleting() -> float:
        day = _filled(next(days), rows)
        old = Attempt.objects.filter(started_at__gte=day, started_at__lt=day + DAY)
        return seconds(lambda: forgetting.delete(old))

    rounds = interleaved({"dropping": dropping, "deleting": deleting})
    size = f"{rows:,} attempts".replace(",", " ")
    yield Figure("forgetting a day's attempts", size, rounds.median("dropping"), GOAL)
    yield Figure(
        "forgetting: deletion over dropping", size, rounds.ratio("deleting", to="dropping"), Goal("≥", 10)
    )


def _filled(number: int, rows: int) -> datetime:
    """A day of its own with so many attempts, and a table for it."""
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    day = today + number * DAY
    partitioning.prepare(now=day)
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"day": day, "rows": rows})
        cursor.execute("ANALYZE webhooks_attempt")
    return day
