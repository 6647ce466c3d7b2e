"""What no client library hides: requests as the Java and .NET clients write them, and as no client should."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.conftest import Client
from tests.live.house import House
from tests.live.official import new_number

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(120)]


class Wire:
    """A connection that is kept, and the key; what is said on it is up to the test."""

    def __init__(self, house: House) -> None:
        facts = house.facts
        self.project = f"/v1/projects/{facts['project_id']}"
        self.port = house.port
        key = base64.b64encode(f"{facts['key_id']}:{facts['key_secret']}".encode()).decode()
        self.headers = {"Authorization": f"Basic {key}"}
        self.connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=10)

    def ask(self, method: str, rest: str, body: Any = None, *, expecting: int = 200) -> dict[str, Any]:
        raw = None if body is None else json.dumps(body)
        self.connection.request(method, self.project + rest, raw, self.headers)
        answer = self.connection.getresponse()
        told: dict[str, Any] = json.loads(answer.read())
        assert answer.status == expecting, told
        return told

    def begin(self, head: str, body: bytes = b"") -> tuple[int, dict[str, Any]]:
        """Send this much of a request and no more; the status and the body of the answer."""
        lines = [head, "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in self.headers.items())]
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            with contextlib.closing(http.client.HTTPResponse(connection)) as answer:
                answer.begin()
                return answer.status, json.loads(answer.read())


@pytest.fixture
def wire(house: House) -> Iterator[Wire]:
    wire = Wire(house)
    with contextlib.closing(wire.connection):
        yield wire


@pytest.fixture
def app(house: House, wire: Wire) -> dict[str, Any]:
    with Client(house) as client:
        return wire.ask("GET", f"/apps/{client.make_app('Wire')}")


@pytest.fixture
def contact(wire: Wire) -> dict[str, Any]:
    return wire.ask(
        "POST", "/contacts", {"channel_identities": [{"channel": "SMS", "identity": new_number()}]}
    )


def test_java_sends_whole_objects_back_without_a_mask(
    wire: Wire, app: dict[str, Any], contact: dict[str, Any]
) -> None:
    conversation = wire.ask("POST", "/conversations", {"app_id": app["id"], "contact_id": contact["id"]})

    assert wire.ask("PATCH", f"/apps/{app['id']}", app | {"display_name": "Java"})["display_name"] == "Java"
    assert wire.ask("PATCH", f"/contacts/{contact['id']}", contact | {"email": "a@b.se"})["email"] == "a@b.se"
    changed = wire.ask("PATCH", f"/conversations/{conversation['id']}", conversation | {"metadata": "m"})
    assert changed == conversation | {"metadata": "m"}


def test_java_stops_a_conversation_without_any_body(
    wire: Wire, app: dict[str, Any], contact: dict[str, Any]
) -> None:
    created = wire.ask("POST", "/conversations", {"app_id": app["id"], "contact_id": contact["id"]})
    place = f"/conversations/{created['id']}"

    assert wire.ask("POST", f"{place}:stop") == {}
    assert wire.ask("GET", place)["active"] is False


def test_java_percent_encodes_a_slash_in_an_id(wire: Wire) -> None:
    assert wire.ask("GET", "/contacts/a%2Fb", expecting=404)["error"]["status"] == "NOT_FOUND"


def test_dotnet_repeats_the_paths_of_its_mask(wire: Wire, app: dict[str, Any]) -> None:
    query = "?update_mask.paths=display_name&update_mask.paths=conversation_metadata_report_view"
    body = app | {"display_name": "NET", "processing_mode": "DISPATCH"}

    changed = wire.ask("PATCH", f"/apps/{app['id']}{query}", body)

    assert changed == app | {"display_name": "NET"}


def test_a_plus_may_come_as_it_is_or_encoded(wire: Wire, contact: dict[str, Any]) -> None:
    number = contact["channel_identities"][0]["identity"]

    for written in (f"+{number}", f"%2B{number}", number):
        found = wire.ask("GET", f"/contacts?channel=SMS&identity={written}")["contacts"]
        assert [one["id"] for one in found] == [contact["id"]]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_empty_body_may_be_called_json(wire: Wire, contact: dict[str, Any], method: str) -> None:
    wire.headers |= {"Content-Type": "application/json", "Content-Length": "0"}

    assert wire.ask(method, f"/contacts/{contact['id']}") in (contact, {})


def test_nulls_are_as_good_as_absent(wire: Wire, app: dict[str, Any]) -> None:
    spelt_out = dict.fromkeys(
        ["retention_policy", "processing_mode", "smart_conversation", "callback_settings"]
    )

    made = wire.ask("POST", "/apps", {"display_name": "Nulls", "channel_credentials": []} | spelt_out)

    assert made["processing_mode"] == "CONVERSATION"
    assert made["retention_policy"] == {"retention_type": "MESSAGE_EXPIRE_POLICY", "ttl_days": 180}


@pytest.mark.parametrize(
    ("announced", "begun"),
    [
        ("Content-Length: 5000000", b"{"),
        ("Expect: 100-continue\r\nContent-Length: 5000000", b""),
        (
            "Transfer-Encoding: chunked",
            b"200000\r\n" + b"x" * 0x200000 + b"\r\n",
        ),  # how many follow nobody knows
    ],
    ids=["announced", "asked for first", "in chunks"],
)
def test_a_body_over_1_mb_is_refused_before_all_of_it_has_come(
    wire: Wire, announced: str, begun: bytes
) -> None:
    status, told = wire.begin(f"POST {wire.project}/messages:send HTTP/1.1\r\n{announced}", begun)

    assert (status, told["error"]["code"], told["error"]["status"]) == (413, 413, "RESOURCE_EXHAUSTED")


@pytest.mark.parametrize(("size", "status"), [(900_000, 401), (2_000_000, 413)], ids=["token", "size"])
def test_a_connection_goes_on_after_a_body_that_nobody_read(wire: Wire, size: int, status: int) -> None:
    headers = wire.headers if status == 413 else {"Authorization": "Bearer long gone"}
    for _ in range(10):
        wire.connection.request("POST", f"{wire.project}/messages:send", b"x" * size, headers)
        answer = wire.connection.getresponse()
        answer.read()

        assert answer.status == status
        assert wire.ask("GET", "/apps")


@pytest.mark.parametrize(
    "request_line",
    [
        "TRACE {project}/apps",
        "BREW {project}/apps",
        "OPTIONS /oauth2/token",
        "PUT /callbacks/SMS/x",
        "POST /nowhere",
        "POST /healthz",
        "GET {project}/apps/%ff%zz%00",
        "GET //{project}",
        "GET {project}/apps/",
        "GET {project}/contacts?{many}",
        "GET {project}/contacts/{long}",
    ],
)
def test_a_refusal_is_never_a_page(wire: Wire, request_line: str) -> None:
    filled = request_line.format(
        project=wire.project, long="x" * 20_000, many="&".join(f"a{number}=1" for number in range(1_100))
    )

    with socket.create_connection(("127.0.0.1", wire.port), timeout=10) as connection:
        connection.sendall(
            f"{filled} HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert re.match(rb"HTTP/1.1 [45]\d\d ", answer)
    assert b"<" not in answer.partition(b"\r\n\r\n")[2]
