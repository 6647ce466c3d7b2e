"""The whole house as processes: web, workers and clock on an embedded PostgreSQL and Redis of their own."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN = 60.0  # seconds: the promise of `make run`
# What the suite sets for itself must not leak into a house that makes its own.
OURS = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "FIELD_ENCRYPTION_KEYS",
    "CHANNELS_SANDBOXED",
    "PUBLIC_URL",
)


class House:
    """`manage.py up` on one data folder, started and killed at will."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        inherited = {name: value for name, value in os.environ.items() if name not in OURS}
        self.environment = inherited | {"DATA_DIR": str(data_dir), "PORT": str(free_port())} | environment
        self.process: subprocess.Popen[bytes] | None = None
        self.log = data_dir / "up.log"

    def start(self) -> House:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        wait_until(lambda: self._answers() or self._fell(), seconds=STARTS_WITHIN, what="the house to answer")
        assert self.process.poll() is None, self.log.read_text()[-4000:]
        return self

    def kill(self) -> None:
        """`kill -9` of every process of the house, at once."""
        assert self.process is not None
        family = psutil.Process(self.process.pid)
        for process in [family, *family.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):  # some die with their parent
                process.kill()
        self.process.wait()
        self.process = None

    def stop(self) -> int:
        """Ctrl-C; gives the exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)

    @property
    def facts(self) -> dict[str, Any]:
        """first-run.json."""
        facts: dict[str, Any] = json.loads((self.data_dir / "first-run.json").read_text())
        return facts

    def manage(self, *arguments: str) -> str:
        """What a command prints."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.environment['PORT']}/readyz", timeout=5
            ) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _fell(self) -> bool:
        return self.process is not None and self.process.poll() is not None


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

    def subscribe(self, app_id: str, target: str, secret: str = "") -> None:
        triggers = ["MESSAGE_SUBMIT", "MESSAGE_DELIVERY"]
        webhook = {"app_id": app_id, "target": target, "secret": secret, "triggers": triggers}
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


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_until(is_so: Callable[[], Any], *, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with tempfile.TemporaryDirectory(prefix="house-") as folder:
        house = House(Path(folder)).start()
        yield house
        house.stop()


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    subscriber = Subscriber()
    yield subscriber
    subscriber.close()
