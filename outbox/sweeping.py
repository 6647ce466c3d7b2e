"""Sweeping: what nobody will ever need again leaves the outbox's tables."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import connection

from outbox.dispatching.claiming import Terms

BATCH: Final = 5000
IDLE: Final = timedelta(days=30)
RETIREMENT: Final = timedelta(days=1)  # far longer than any transaction that still puts entries in the lane

ORPHANS = """
    DELETE FROM outbox_entry WHERE id IN (
        SELECT entry.id FROM outbox_entry entry
        WHERE NOT EXISTS (SELECT FROM outbox_lane lane WHERE lane.id = entry.lane_id)
        LIMIT %(batch)s
    )
"""

# Those of servers that a callback_url once named, or of an owner that went without a word. One that its owner
# tuned stays.
RETIRE = """
    UPDATE outbox_lane lane SET retired_at = statement_timestamp()
    WHERE id IN (
        SELECT id FROM outbox_lane
        WHERE last_served_at < statement_timestamp() - %(idle)s
            AND retired_at IS NULL AND lease_until IS NULL AND width = 8 AND NOT is_ordered
        LIMIT %(batch)s FOR UPDATE SKIP LOCKED
    ) AND NOT EXISTS (SELECT FROM outbox_entry WHERE lane_id = lane.id)
"""

# Whoever puts an entry in a retired lane takes it back into service, and waits for this meanwhile.
REMOVE = """
    DELETE FROM outbox_lane lane
    WHERE retired_at < statement_timestamp() - %(retirement)s
        AND NOT EXISTS (SELECT FROM outbox_entry WHERE lane_id = lane.id)
"""


def sweep() -> None:
    """Take away entries without a lane, which nobody will ever claim, and lanes that were idle for long."""
    terms: Terms = {"batch": BATCH, "idle": IDLE, "retirement": RETIREMENT}
    with connection.cursor() as cursor:
        for statement in (ORPHANS, REMOVE, RETIRE):
            cursor.execute(statement, terms)
