"""Deliveries, replays and test events: our extension of the contract."""

from __future__ import annotations

from typing import Final

from portal.openapi.shapes import (
    ANY_OBJECT,
    COUNT,
    FLAG,
    ID,
    ID_OR_EMPTY,
    TEXT,
    TIME,
    WHOLE,
    Shape,
    many,
    member,
    or_null,
    page,
    record,
    ref,
)
from webhooks.api.delivery_payloads import WAITING
from webhooks.models import Attempt, Replay
from webhooks.triggers import Trigger

_TRIGGER: Final[Shape] = member([*Trigger, ""], description="Empty where the event is not kept any more.")
_NEXT: Final = or_null(TIME)
_ATTEMPT: Final = {
    "result": member(Attempt.Result.values),
    "number": COUNT,
    "attempt_time": TIME,
    "duration_ms": or_null(COUNT),
    "status_code": or_null(WHOLE),
    "error": TEXT,
    "detail": TEXT,
    "next_attempt_time": _NEXT,
    "replay_id": ID_OR_EMPTY,
}
_PHASES: Final[Shape] = {
    "type": "object",
    "additionalProperties": COUNT,
    "description": "Of each step that was reached: name, connection, tls, first_byte, rest.",
}
_TRIED: Final = record("Tried.", event_id=ID, trigger=_TRIGGER, **_ATTEMPT)
_WAITS: Final = record(
    "To be tried, for the first time or again.",
    event_id=ID,
    trigger=_TRIGGER,
    result=member([WAITING]),
    attempts=COUNT,
    next_attempt_time=TIME,
)

DELIVERIES: Final = {
    "Deliveries": page("Deliveries, newest first.", deliveries=many({"anyOf": [_TRIED, _WAITS]})),
    "Delivery": record(
        "All that is known of one event on its way.",
        event_id=ID,
        trigger=_TRIGGER,
        event_time=or_null(TIME),
        body=or_null(ANY_OBJECT),
        attempts=many(
            record("One try.", **_ATTEMPT, phases_ms=_PHASES, response_headers=ANY_OBJECT, response_body=TEXT)
        ),
        waiting=or_null(record("When it is tried next.", attempts=COUNT, next_attempt_time=TIME)),
        dead_letter=or_null(record("Nobody tries any more.", reason=TEXT, attempts=COUNT, give_up_time=TIME)),
    ),
    "Replay": record(
        "Events that are delivered again.",
        id=ID,
        webhook_id=ID,
        event_id={**ID_OR_EMPTY, "description": "Empty: all events of the span."},
        start_time=TIME,
        end_time=TIME,
        trigger=member([*Trigger, ""], description="Empty: all of them."),
        only_failed=FLAG,
        per_second=COUNT,
        state=member(Replay.State.values),
        count=COUNT,
        done=COUNT,
        create_time=TIME,
        finish_time=or_null(TIME),
    ),
    "ReplayOrCount": {
        "description": "The job; of a dry run how many events it would deliver.",
        "anyOf": [ref("Replay"), record(count=COUNT)],
    },
    "Replays": page("Replays, newest first.", replays=many(ref("Replay"))),
    "TestEvent": record(
        "What was sent, what came back, and whether the signatures fit.",
        delivered=FLAG,
        enabled=FLAG,
        request=record(url=TEXT, headers=ANY_OBJECT, body=ANY_OBJECT),
        response=record(status_code=or_null(WHOLE), headers=ANY_OBJECT, body=TEXT, error=TEXT, detail=TEXT),
        duration_ms=_PHASES,
        signatures=many(record(header=TEXT, valid=FLAG, explanation=TEXT)),
    ),
}
