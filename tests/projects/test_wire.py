import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from rest_framework.test import APIClient

from contacts.models import Contact
from projects.requests.wire import JSONRenderer, timestamp
from tests.factories import api_client, make_project, path

pytestmark = pytest.mark.django_db

IDENTITIES = [{"channel": "SMS", "identity": "46700000001"}]


@pytest.fixture
def project():
    return make_project()


def post(project, raw: Any, rest="contacts"):
    return api_client(project).generic("POST", path(project, rest), raw, content_type="application/json")


def assert_refused(response, says):
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["status"] == "INVALID_ARGUMENT"
    assert says in error["message"]
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    "raw",
    [b"{", b"{'a': 1}", b'{"a": NaN}', b'{"a": 1,}', b"\xff", b'{"a": "\xc3\x28"}', b'{"a": "\\ud800"}',
     b'{"a": "\x00"}', b"\xef\xbb\xbf{}", b'{"a":' * 2000 + b"1" + b"}" * 2000],
)  # fmt: skip
def test_a_body_that_is_no_json_is_refused(project, raw):
    assert_refused(post(project, raw), "not valid JSON")


@pytest.mark.parametrize("raw", [b"[]", b'"text"', b"1", b"null", b"true"])
def test_a_body_that_is_no_object_is_refused(project, raw):
    assert_refused(post(project, raw), "must be a JSON object")


def test_a_body_nested_100_deep_is_read_and_a_deeper_one_refused(project):
    def nested(levels):
        inner = b'{"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)
        return b'{"channel_identities": ' + json.dumps(IDENTITIES).encode() + b', "extra":' + inner + b"}"

    assert_refused(post(project, nested(100)), "nested deeper than 100")
    assert post(project, nested(99)).status_code == 200


def test_a_nul_is_refused_wherever_it_stands(project):
    body = {"channel_identities": IDENTITIES, "display_name": "a\0b"}
    refusal = post(project, json.dumps(body))
    assert_refused(refusal, "display_name: must not contain the NUL character")

    assert_refused(post(project, json.dumps({"a": {"b": ["ok", {"c": "\0"}]}})), "a.b[1].c: must not contain")
    assert_refused(post(project, json.dumps({"a\0": 1})), "must not contain")


def test_a_written_out_nul_escape_is_plain_text(project):
    answer = post(project, json.dumps({"channel_identities": IDENTITIES, "metadata": r"\u0000"}))

    assert answer.status_code == 200
    assert answer.json()["metadata"] == r"\u0000"


def test_a_nul_in_the_query_is_refused(project):
    client = api_client(project)

    for query in ("?external_id=%00", "?page_token=%00", "?%00=1"):
        refusal = client.get(path(project, "contacts") + query)
        assert refusal.status_code == 400
        assert "NUL" in refusal.json()["error"]["message"]


def test_a_nul_in_an_id_is_an_unknown_id(project):
    assert api_client(project).get(path(project, "contacts/%00")).status_code == 404


def test_a_huge_number_is_a_number_out_of_place(project):
    body = (
        b'{"display_name": "A", "channel_credentials": [], "message_retry_settings": {"retry_duration": %d}}'
    )
    for huge in (2**31, 2**63, 10**30):
        refusal = post(project, body % huge, "apps")
        assert_refused(refusal, "message_retry_settings.retry_duration")


def test_numbers_that_postgresql_writes_out_in_full_can_be_answered():
    assert JSONRenderer().render({"n": 10**30}) == b'{"n":1' + b"0" * 30 + b"}"


def test_a_body_of_1_mb_is_read_and_a_larger_one_refused(project):
    def body(size):
        raw = b'{"channel_identities": ' + json.dumps(IDENTITIES).encode() + b', "extra":"'
        return raw + b"x" * (size - len(raw) - 2) + b'"}'

    refusal = post(project, body(1_048_577))
    assert refusal.status_code == 413
    assert refusal.json()["error"]["code"] == 413
    assert refusal.json()["error"]["message"] == "The body is over 1 MB."
    assert post(project, body(1_048_576)).status_code == 200


def test_a_body_announced_as_too_large_is_refused_before_it_is_sent(project):
    client: Any = api_client(project)

    refusal = client.generic("POST", path(project, "contacts"), b"{}", CONTENT_LENGTH="1048577")

    assert refusal.status_code == 413


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "application/xml", "", "nonsense"]
)
def test_the_content_type_says_nothing(project, content_type):
    client: Any = api_client(project)
    raw = json.dumps({"channel_identities": IDENTITIES})

    assert (
        client.generic("POST", path(project, "contacts"), raw, content_type=content_type).status_code == 200
    )
    assert client.generic("GET", path(project, "contacts"), b"", content_type=content_type).status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "nonsense", ""])
def test_every_answer_is_json_whatever_the_client_accepts(project, accept):
    client = APIClient()

    for answer in (
        api_client(project).get(path(project, "contacts"), HTTP_ACCEPT=accept),
        client.get(path(project, "contacts"), HTTP_ACCEPT=accept),
        client.get("/v1/nowhere", HTTP_ACCEPT=accept),
        client.get("/oauth2/token?format=html", HTTP_ACCEPT=accept),
    ):
        assert answer["content-type"] == "application/json"
        assert isinstance(answer.json(), dict)


def test_times_are_in_utc_with_a_z():
    assert timestamp(datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)) == "2026-01-02T03:04:05.678901Z"
    assert timestamp(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05Z"
    assert timestamp(datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-02T01:00:00Z"
