"""Deliveries, replays and test events as the API answers them: our extension of the contract."""

from __future__ import annotations

from typing import Any

import orjson

from gateway.http import Timings
from outbox.models import Entry
from projects import ids
from projects.requests.wire import timestamp
from webhooks.models import Attempt, DeadLetter, Replay
from webhooks.repeating.deliveries import Delivery
from webhooks.trying.testing import Trial, phases

WAITING = "WAITING"  # a result that no attempt has


def listed(row: Attempt, *, trigger: str) -> dict[str, Any]:
    """A delivery by its newest attempt; `trigger` is empty where the event is not kept any more."""
    return {"event_id": row.event_id, "trigger": trigger, **attempt(row)}


def listed_waiting(entry: Entry, *, trigger: str) -> dict[str, Any]:
    """A delivery that is to be tried, for the first time or again."""
    return {"event_id": ids.from_uuid(entry.ref), "trigger": trigger, "result": WAITING, **waiting(entry)}


def attempt(row: Attempt) -> dict[str, Any]:
    """One try, without what the receiver answered."""
    return {
        "result": row.result,
        "number": row.number,
        "attempt_time": timestamp(row.started_at),
        "duration_ms": row.duration_ms,
        "status_code": row.status_code,
        "error": row.error,
        "detail": row.detail,
        "next_attempt_time": timestamp(row.next_at) if row.next_at else None,
        "replay_id": row.replay_id or "",
    }


def waiting(entry: Entry) -> dict[str, Any]:
    """When it is tried next, and how often it was."""
    return {"attempts": entry.attempts, "next_attempt_time": timestamp(entry.next_at)}


def delivery(event_id: str, known: Delivery) -> dict[str, Any]:
    """All that is known of one event on its way; `body` is null once it is purged."""
    event = known.event
    return {
        "event_id": event_id,
        "trigger": event.trigger if event else "",
        "event_time": timestamp(event.created_at) if event else None,
        "body": orjson.loads(bytes(event.body)) if event and event.body else None,
        "attempts": [attempt(row) | _answer(row) for row in known.attempts],
        "waiting": waiting(known.waiting) if known.waiting else None,
        "dead_letter": _dead_letter(known.dead_letter) if known.dead_letter else None,
    }


def replay(row: Replay, *, waiting: int) -> dict[str, Any]:
    """A job, and how far it has come."""
    return {
        "id": row.id,
        "webhook_id": row.webhook_id,
        "event_id": row.event_id or "",
        "start_time": timestamp(row.start_time),
        "end_time": timestamp(row.end_time),
        "trigger": row.trigger,
        "only_failed": row.only_failed,
        "per_second": row.per_second,
        "state": row.state,
        "count": row.count,
        "done": row.queued - waiting,
        "create_time": timestamp(row.asked_at),
        "finish_time": timestamp(row.ended_at) if row.ended_at else None,
    }


def trial(sent: Trial) -> dict[str, Any]:
    """A test event: what was sent, what came back, how long each step took, and whether the signatures fit."""
    request, response = sent.request, sent.response
    return {
        "delivered": sent.is_success,
        "enabled": sent.has_enabled,
        "request": {
            "url": request.url,
            "headers": dict(sent.headers),
            "body": orjson.loads(request.body),
        },
        "response": {
            "status_code": response.status or None,
            "headers": dict(response.headers),
            "body": response.body.decode(errors="replace"),
            "error": response.error,
            "detail": response.detail,
        },
        "duration_ms": _phases(response.timings),
        "signatures": [
            {"header": finding.family, "valid": finding.is_valid, "explanation": finding.said}
            for finding in sent.findings
        ],
    }


def _answer(row: Attempt) -> dict[str, Any]:
    return {
        "phases_ms": _phases(row.timings),
        "response_headers": row.headers,
        "response_body": bytes(row.response_body).decode(errors="replace"),
    }


def _phases(timings: Timings) -> dict[str, int]:
    return {name.lower().replace(" ", "_"): took for name, took in phases(timings).items()}


def _dead_letter(row: DeadLetter) -> dict[str, Any]:
    return {"reason": row.reason, "attempts": row.attempts, "give_up_time": timestamp(row.died_at)}
