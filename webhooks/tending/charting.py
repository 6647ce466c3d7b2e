"""Charting: how the tries of a webhook went, hour by hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from projects import ids
from webhooks.models import Webhook

HOURS: Final = 24
MOST_LOOKED_AT: Final = 50_000  # tries, the latest
HOUR: Final = timedelta(hours=1)

# Replays count for nothing here: they repeat what failed.
COUNTED = """
    SELECT
        date_trunc('hour', started_at, 'UTC'),
        count(*) FILTER (WHERE result = 'DELIVERED'),
        count(*) FILTER (WHERE result IN ('RETRYING', 'GIVEN_UP'))
    FROM (
        SELECT started_at, result FROM webhooks_attempt
        WHERE webhook_id = %s AND started_at >= %s AND replay_id IS NULL
        ORDER BY started_at DESC LIMIT %s
    ) attempt
    GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Hour:
    """What was tried in an hour, from `start` on."""

    start: datetime
    delivered: int
    failed: int


def hours(webhook: Webhook, *, now: datetime) -> Sequence[Hour]:
    """The last day's, the present one last; of a busy webhook only its latest tries are counted."""
    newest = now.replace(minute=0, second=0, microsecond=0)
    starts = [newest - back * HOUR for back in reversed(range(HOURS))]
    with connection.cursor() as cursor:
        cursor.execute(COUNTED, [ids.to_uuid(webhook.id), starts[0], MOST_LOOKED_AT])
        counted = {start: (delivered, failed) for start, delivered, failed in cursor.fetchall()}
    return [Hour(start, *counted.get(start, (0, 0))) for start in starts]
