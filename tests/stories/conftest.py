"""A project with an app on the sandbox, its API, and a subscriber who keeps what it is sent."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from gateway import signing
from outbox.draining import drain
from tests.factories import api_client, make_app, make_project, make_webhook

SECRET = "a-webhook-secret"


@dataclass
class Subscriber:
    """A receiver of webhooks."""

    target: str
    bodies: list[dict[str, Any]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)  # to answer with, once each; then 200
    all_signed: bool = True

    def take(self, request: Request) -> Response:
        raw = request.get_data()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.all_signed &= signing.is_valid(headers, raw, SECRET)
        self.raw.append(raw)
        self.bodies.append(json.loads(raw))
        return Response(status=self.statuses.pop(0) if self.statuses else 200)

    def got(self, body_key: str) -> list[dict[str, Any]]:
        """The bodies of one kind of event, in the order in which they came."""
        return [body[body_key] for body in self.bodies if body_key in body]

    def statuses_of(self, message_id: str) -> list[str]:
        reports = self.got("message_delivery_report")
        return [report["status"] for report in reports if report["message_id"] == message_id]


@pytest.fixture
def project(db):
    return make_project()


@pytest.fixture
def app(project):
    return make_app(project)


@pytest.fixture
def api(project):
    return api_client(project)


@pytest.fixture
def subscriber(app, httpserver: HTTPServer) -> Subscriber:
    subscriber = Subscriber(httpserver.url_for("/hook"))
    httpserver.expect_request("/hook").respond_with_handler(subscriber.take)
    make_webhook(app, subscriber.target, secret=SECRET)
    return subscriber


@pytest.fixture
def settle() -> Callable[[], int]:
    """Let the outbox run until nothing is due for a minute."""
    return lambda: drain(horizon=timedelta(minutes=1))
