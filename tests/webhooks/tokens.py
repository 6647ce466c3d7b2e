"""A receiver's token endpoint, and what the receiver was shown."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import orjson
from werkzeug import Request, Response

from webhooks import publishing
from webhooks.publishing import About
from webhooks.triggers import Trigger

CLIENT_SECRET = "client-s3cr3t-Ünï+/="


class TokenEndpoint:
    """Gives `token-1`, `token-2`, … for as long as `expires_in` says, unless it is told to give other answers."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.answers: list[Response] = []
        self.expires_in: Any = 3600
        self.takes_seconds = 0.0

    def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        time.sleep(self.takes_seconds)
        if self.answers:
            return self.answers.pop(0)
        return token(f"token-{len(self.asked)}", expires_in=self.expires_in)


def token(text: Any, **fields: Any) -> Response:
    return Response(orjson.dumps({"access_token": text, "token_type": "bearer"} | fields))


def publish(app, times: int = 1) -> None:
    for _ in range(times):
        publishing.publish(
            app=app,
            trigger=Trigger.MESSAGE_DELIVERY,
            payload={"message_id": "m", "status": "DELIVERED"},
            about=About(accepted_time=datetime.now(UTC), event_time=datetime.now(UTC)),
        )


def called(httpserver, path: str = "/hook") -> list[Any]:
    return [request for request, _ in httpserver.log if request.path == path]


def bearers(httpserver) -> list[str]:
    """What the receiver was shown, in order."""
    return [request.headers.get("Authorization", "") for request in called(httpserver)]
