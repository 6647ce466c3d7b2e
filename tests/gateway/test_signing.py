from __future__ import annotations

import json
import math
import shutil
import subprocess
import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import signing

with warnings.catch_warnings():  # an escape in a docstring of the client warns where it is compiled
    warnings.simplefilter("ignore")
    import sinch

# Wire contract, "Signature": computed with the official Python client, (b) accepted by the Node client too.
VECTORS = [
    (
        "test-secret",
        {"app_id": "01A", "project_id": "P"},
        b'{"app_id":"01A","project_id":"P"}',
        "nonce-1",
        1700000000,
        "6i0Ex2yVf2lx5NIoHoKSZr6kc7U1DVxm9KhvEoXUZS0=",
    ),
    (
        "s3cr3t-Ünï",
        {
            "app_id": "01HZZZZZZZZZZZZZZZZZZZZZZZ",
            "project_id": "6f1c8e8e-0000-4000-8000-000000000001",
            "accepted_time": "2026-01-02T03:04:05.678901Z",
            "message": {
                "id": "01HZZZZZZZZZZZZZZZZZZZZZZ1",
                "contact_message": {"text_message": {"text": "héllo €"}},
            },
        },
        (
            '{"app_id":"01HZZZZZZZZZZZZZZZZZZZZZZZ","project_id":"6f1c8e8e-0000-4000-8000-000000000001",'
            '"accepted_time":"2026-01-02T03:04:05.678901Z","message":{"id":"01HZZZZZZZZZZZZZZZZZZZZZZ1",'
            '"contact_message":{"text_message":{"text":"héllo €"}}}}'
        ).encode(),
        "01J0NONCE0000000000000TEST",
        1767323045,
        "bgwQpXbhSF83Dk0FK6of2RiMWHFO3DHTx8GKVN2D8f4=",
    ),
]


@pytest.mark.parametrize(("secret", "payload", "body", "nonce", "timestamp", "signature"), VECTORS)
def test_the_published_vectors_are_signed_as_published(secret, payload, body, nonce, timestamp, signature):
    assert signing.encode(payload) == body
    assert signing.sign(body, secret, nonce=nonce, timestamp=timestamp) == signature


def official_verdict(secret: str, headers: dict[str, str], body: str) -> Any:
    client = sinch.SinchClient(project_id="p", key_id="k", key_secret="s")
    return client.conversation.sinch_events(secret).validate_authentication_header(headers, body)


@pytest.mark.parametrize("secret", ["test-secret", "s3cr3t-Ünï", "whsec_bm90IGRlY29kZWQ="])
def test_the_official_client_accepts_what_is_signed_and_refuses_what_was_altered(secret):
    body = signing.encode({"app_id": "01A", "text": "héllo €\u007f"})
    headers = signing.headers(body, secret, nonce="nonce-1", timestamp=1700000000)

    assert official_verdict(secret, headers, body.decode())
    assert not official_verdict(secret, headers, body.decode().replace("01A", "01B"))
    assert not official_verdict(secret + "x", headers, body.decode())


def test_the_algorithm_is_spelt_as_the_java_client_needs_it():
    headers = signing.headers(b"{}", "secret", nonce="n", timestamp=1)

    assert headers["x-sinch-webhook-signature-algorithm"] == "HmacSHA256"
    assert headers["x-sinch-webhook-signature-timestamp"] == "1"


def test_a_signature_is_valid_with_header_names_in_any_case():
    headers = signing.headers(b"{}", "secret", nonce="n", timestamp=1)

    assert signing.is_valid(headers, b"{}", "secret")
    assert signing.is_valid({name.title(): value for name, value in headers.items()}, b"{}", "secret")


@pytest.mark.parametrize(
    "changed",
    [
        {signing.SIGNATURE: ""},
        {signing.SIGNATURE: "ünï"},
        {signing.SIGNATURE: "AAAA"},
        {signing.NONCE: "other"},
        {signing.TIMESTAMP: "2"},
        {signing.TIMESTAMP: "1" * 5000},
        {signing.TIMESTAMP: "soon"},
    ],
)
def test_a_signature_with_any_part_changed_is_not_valid(changed):
    headers = signing.headers(b"{}", "secret", nonce="n", timestamp=1)

    assert not signing.is_valid(headers | changed, b"{}", "secret")


def test_a_body_without_its_headers_or_with_another_secret_is_not_valid():
    headers = signing.headers(b"{}", "secret", nonce="n", timestamp=1)

    assert not signing.is_valid({}, b"{}", "secret")
    assert not signing.is_valid(headers, b"{ }", "secret")
    assert not signing.is_valid(headers, b"{}", "Secret")


ENCODED: list[tuple[Any, str]] = [
    (1.0, "1"),
    (-0.0, "0"),
    (0.1, "0.1"),
    (-1.5, "-1.5"),
    (1e16, "10000000000000000"),
    (1.5e16, "15000000000000000"),
    (123456789012345680000.0, "123456789012345680000"),
    (1e21, "1e+21"),
    (1.25e21, "1.25e+21"),
    (-1e300, "-1e+300"),
    (1e-6, "0.000001"),
    (1.5e-6, "0.0000015"),
    (1e-7, "1e-7"),
    (-1.25e-7, "-1.25e-7"),
    (5e-324, "5e-324"),
    (1.7976931348623157e308, "1.7976931348623157e+308"),
    (math.nan, "null"),
    (math.inf, "null"),
    (2**53 - 1, "9007199254740991"),
    (2**53 + 1, "9007199254740992"),
    (12345678901234567890, "12345678901234567000"),
    (10**21, "1e+21"),
    (10**400, "null"),
    (True, "true"),
    (None, "null"),
    ("héllo €😀", '"héllo €😀"'),
    ('\x00\x1f\b\t\n\f\r"\\/', r'"\u0000\u001f\b\t\n\f\r\"\\/"'),
    ("\x7f\u2028\u2029\ufeff", '"\x7f\u2028\u2029\ufeff"'),
    ({"b": 1, "a": 2}, '{"b":1,"a":2}'),
    ({"b": 1, "10": 2, "9": 3, "a": 4, "0": 5}, '{"0":5,"9":3,"10":2,"b":1,"a":4}'),
    ({"01": 1, "-1": 2, "1.0": 3, "": 4, "²": 5, "1": 6}, '{"1":6,"01":1,"-1":2,"1.0":3,"":4,"²":5}'),
    ({"a": 1, "4294967295": 2, "4294967294": 3}, '{"4294967294":3,"a":1,"4294967295":2}'),
    (
        {"__proto__": 1, "1": {"2": 1, "1": [{"b": 1, "0": 1.0}]}},
        '{"1":{"1":[{"0":1,"b":1}],"2":1},"__proto__":1}',
    ),
    ([], "[]"),
    ({}, "{}"),
]


@pytest.mark.parametrize(("payload", "text"), ENCODED)
def test_a_body_is_written_as_javascript_writes_it(payload, text):
    assert signing.encode(payload).decode() == text


@pytest.mark.parametrize("payload", ["\ud800", {1: "a"}, {"a": object()}, {"a": {1, 2}}])
def test_what_is_no_json_is_refused(payload):
    with pytest.raises(TypeError):
        signing.encode(payload)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(max_size=5) | st.integers(0, 2**33).map(str), inner, max_size=5)
    ),
    max_leaves=30,
)


@given(json_values)
def test_a_body_says_what_the_payload_said(payload):
    # 1.0 is written as 1: to JSON, and to JavaScript, they are one number.
    assert json.loads(signing.encode(payload), parse_int=float) == payload


ECHO = """
let read = "";
process.stdin.on("data", (chunk) => { read += chunk; });
process.stdin.on("end", () => process.stdout.write(JSON.stringify(JSON.parse(read))));
"""


def echoed_by_node(body: bytes) -> bytes:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node, to compare with JavaScript's own serialiser")
    return subprocess.run([node, "-e", ECHO], input=body, capture_output=True, check=True, timeout=20).stdout


def test_bodies_survive_being_read_and_written_again_by_javascript():
    body = signing.encode([payload for payload, _ in ENCODED])

    assert echoed_by_node(body) == body


@settings(max_examples=5, deadline=None)
@given(st.lists(json_values | st.integers() | st.floats(), min_size=50, max_size=200))
def test_any_body_survives_being_read_and_written_again_by_javascript(payload):
    body = signing.encode(payload)

    assert echoed_by_node(body) == body
