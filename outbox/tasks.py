"""The outbox's housekeeping, for beat."""

from celery import shared_task
from django.db import connection

BATCH = 5000

SWEEP = """
    DELETE FROM outbox_entry WHERE id IN (
        SELECT entry.id FROM outbox_entry entry
        WHERE NOT EXISTS (SELECT FROM outbox_lane lane WHERE lane.id = entry.lane_id)
        LIMIT %s
    )
"""


@shared_task
def sweep() -> None:
    """Take away entries that were put while their lane was being closed: nobody will ever claim them."""
    with connection.cursor() as cursor:
        cursor.execute(SWEEP, [BATCH])
