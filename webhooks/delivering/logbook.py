"""The logbook: attempts are written many at a time, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from outbox import statements
from webhooks.models import Attempt

# Of an event that was purged meanwhile nothing may be kept: the join leaves it out. The ids stand there once more
# for the planner, who then looks into the few tables that can have them.
WRITE = """
    WITH line AS MATERIALIZED (
        SELECT line.*, event.app_id, event.message_id, event.accept_time, event.trigger
        FROM json_to_recordset(%(lines)s::json) AS line (
            place int, event_id uuid, webhook_id uuid, callback_url text, replay_id uuid, number int,
            result text, status_code smallint, error text, detail text, started_at timestamptz,
            duration_ms int, phases_ms int[], next_at timestamptz, response_headers text, response_body text,
            signed_with text
        )
        JOIN webhooks_event event ON event.id = line.event_id
        WHERE event.id = ANY(%(events)s::uuid[])
    ), written AS (
        INSERT INTO webhooks_attempt (
            app_id, message_id, accept_time, event_id, webhook_id, callback_url, replay_id, number, result,
            status_code, error, detail, started_at, duration_ms, phases_ms, next_at, response_headers,
            response_body, signed_with
        )
        SELECT
            app_id, message_id, accept_time, event_id, webhook_id, callback_url, replay_id, number, result,
            status_code, error, detail, started_at, duration_ms, phases_ms, next_at,
            decode(response_headers, 'hex'), decode(response_body, 'hex'), signed_with
        FROM line
    )
    SELECT place, app_id, trigger FROM line ORDER BY place
"""


# Not frozen: one is made for each delivery, and that takes half as long.
@dataclass(slots=True, kw_only=True)
class Line:
    """One attempt, as its row will be."""

    place: int  # among those that are written with it
    event_id: UUID
    webhook_id: UUID | None
    callback_url: str
    replay_id: UUID | None
    number: int
    result: Attempt.Result
    status_code: int | None
    error: str
    detail: str
    started_at: datetime
    duration_ms: int
    phases_ms: list[int]
    next_at: datetime | None
    response_headers: str  # in hexadecimal digits, as is the body
    response_body: str
    signed_with: str


class Written(NamedTuple):
    """A line that is written, and what the logbook knows of its event."""

    place: int
    app_id: UUID
    trigger: str


def write(lines: Sequence[Line]) -> list[Written]:
    """Write the lines whose event is still there; gives those, in their order."""
    if not lines:
        return []
    terms: dict[str, Any] = {
        "lines": orjson.dumps(lines).decode(),
        "events": statements.uuids(line.event_id for line in lines),
    }
    return [Written(*row) for row in statements.run(WRITE, terms)]
