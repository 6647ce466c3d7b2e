"""Who talks to the running house: a developer's program, and the receiver of its webhooks."""

from __future__ import annotations

import base64
import http.client
import json
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.live.house import House, new_house
from tests.live.official import client_of

TOKEN_LIFETIME = 5  # seconds: so short that every client renews its token while the tests run


class Client:
    """A developer's program: one connection, one key."""

    def __init__(self, house: House) -> None:
        self.facts = house.facts
        self.connection = http.client.HTTPConnection(
            self.facts["base_url"].removeprefix("http://"), timeout=10
        )
        key = base64.b64encode(f"{self.facts['key_id']}:{self.facts['key_secret']}".encode()).decode()
        self.headers = {"Authorization": f"Basic {key}", "Content-Type": "application/json"}

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def post(self, rest: str, body: Any) -> tuple[int, Any]:
        url = f"/v1/projects/{self.facts['project_id']}/{rest}"
        self.connection.request("POST", url, json.dumps(body), self.headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def make_app(self, name: str) -> str:
        credentials = [{"channel": "SANDBOX", "static_bearer": {"claimed_identity": "me", "token": "any"}}]
        _, app = self.post("apps", {"display_name": name, "channel_credentials": credentials})
        return str(app["id"])

    def subscribe(
        self,
        app_id: str,
        target: str,
        *,
        secret: str = "",
        triggers: Sequence[str] = ("MESSAGE_SUBMIT", "MESSAGE_DELIVERY"),
    ) -> None:
        webhook = {"app_id": app_id, "target": target, "secret": secret, "triggers": list(triggers)}
        assert self.post("webhooks", webhook)[0] == 200

    def send(self, app_id: str, number: int) -> str | None:
        """The message's id; None where nothing was promised."""
        identities = [{"channel": "SANDBOX", "identity": f"4670{number:06d}10"}]
        body = {
            "app_id": app_id,
            "recipient": {"identified_by": {"channel_identities": identities}},
            "message": {"text_message": {"text": f"number {number}"}},
        }
        try:
            status, answer = self.post("messages:send", body)
        except (OSError, http.client.HTTPException):
            self.connection.close()
            return None
        return str(answer["message_id"]) if status == 200 else None


class Subscriber:
    """A receiver of webhooks that keeps every request, on a port of its own."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        kept = self.requests

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kept.append((dict(self.headers.items()), body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Quietly."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.target = f"http://127.0.0.1:{self._server.server_port}/events"

    def bodies(self, key: str) -> list[dict[str, Any]]:
        """The bodies of one kind of event."""
        events = [json.loads(body) for _, body in list(self.requests)]
        return [event[key] for event in events if key in event]

    def delivered(self) -> set[str]:
        """The messages of which it heard that they arrived."""
        reports = self.bodies("message_delivery_report")
        return {report["message_id"] for report in reports if report["status"] == "DELIVERED"}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="package")
def house() -> Iterator[House]:
    """One for all who only talk to it."""
    with new_house(WEB_WORKERS="1", TOKEN_LIFETIME_SECONDS=str(TOKEN_LIFETIME)) as house:
        yield house.start()


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    subscriber = Subscriber()
    yield subscriber
    subscriber.close()


@pytest.fixture(scope="package")
def conversation(house: House) -> Iterator[Any]:
    """What the official Python client has for this API."""
    with client_of(house) as client:
        yield client.conversation
