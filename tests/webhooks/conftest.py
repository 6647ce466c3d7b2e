from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest
from rest_framework.test import APIClient
from werkzeug import Request, Response

from projects.models import App
from tests.factories import api_client, make_app, make_webhook
from tests.webhooks.tokens import CLIENT_SECRET, TokenEndpoint
from webhooks.models import Webhook


@pytest.fixture
def app(db) -> App:
    return make_app()


@pytest.fixture
def client(app) -> APIClient:
    return api_client(app.project)


@pytest.fixture(scope="session")
def httpserver_listen_address() -> tuple[str, int]:
    return ("127.0.0.1", 0)


@pytest.fixture(autouse=True)
def loopback(settings) -> None:
    """Webhooks may be on this machine."""
    settings.OUTBOUND_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def hook(httpserver) -> Callable[..., str]:
    """A URL that gives these answers in turn, the last of them for ever."""

    def answering(*answers: int | Response, path: str = "/hook") -> str:
        waiting = list(answers or [200])

        def answer(_: Request) -> Response:
            next_one = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            return next_one if isinstance(next_one, Response) else Response(status=next_one)

        httpserver.expect_request(path).respond_with_handler(answer)
        return str(httpserver.url_for(path))

    return answering


@pytest.fixture
def endpoint(httpserver) -> TokenEndpoint:
    endpoint = TokenEndpoint()
    httpserver.expect_request("/token", method="POST").respond_with_handler(endpoint)
    return endpoint


@pytest.fixture
def subscribe(app, httpserver) -> Callable[..., Webhook]:
    """Makes a webhook whose receiver asks for a token."""

    def subscribe(target: str, **fields: Any) -> Webhook:
        credentials = {
            "client_id": "me",
            "client_secret": CLIENT_SECRET,
            "token_endpoint": httpserver.url_for("/token"),
        }
        return make_webhook(app, target, **(credentials | fields))

    return subscribe
