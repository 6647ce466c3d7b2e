"""Callbacks that go to a callback_url, and what was told there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from projects.models import App
from webhooks import publishing
from webhooks.publishing import About
from webhooks.triggers import Trigger


def publish(app: App, now: datetime, callback_url: str, **fields: Any) -> None:
    publishing.publish(
        app=app,
        trigger=Trigger.MESSAGE_DELIVERY,
        payload={"message_id": "m", "status": "DELIVERED"},
        about=About(accepted_time=now, event_time=now, **fields),
        callback_url=callback_url,
    )


def told(httpserver, path: str) -> list[str]:
    """What each request to that path tells: its one body key, and the status in it."""
    bodies = [orjson.loads(request.get_data()) for request, _ in httpserver.log if request.path == path]
    return [
        " ".join(filter(None, [key, value.get("status")]))
        for body in bodies
        for key, value in body.items()
        if isinstance(value, dict)
    ]
