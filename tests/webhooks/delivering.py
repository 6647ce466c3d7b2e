"""What tests of deliveries publish, and what they ask of the receiver and the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from webhooks import publishing
from webhooks.models import Attempt
from webhooks.publishing import About
from webhooks.triggers import Trigger


def publish(app, **payload: Any) -> None:
    publishing.publish(
        app=app,
        trigger=Trigger.MESSAGE_DELIVERY,
        payload={"message_id": "01J8Y3R0000000000000000001", "status": "DELIVERED"} | payload,
        about=About(accepted_time=datetime.now(UTC), event_time=datetime.now(UTC)),
    )


def wait_of(attempt: Attempt) -> timedelta:
    """How long until the next one, as recorded."""
    assert attempt.next_at is not None
    return attempt.next_at - attempt.started_at


def requests(httpserver) -> list[Any]:
    return [request for request, _ in httpserver.log]
