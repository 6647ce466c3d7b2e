"""Fetching tokens: how the endpoint is asked, and what happens when it gives none."""

from __future__ import annotations

import base64
import logging
from datetime import timedelta
from ipaddress import ip_network

import orjson
import pytest
from werkzeug import Response

from outbox.draining import drain
from outbox.models import Entry
from tests.webhooks.tokens import CLIENT_SECRET, bearers, called, publish, token
from webhooks.models import Attempt, DeadLetter

HOUR = timedelta(hours=1)


def test_by_default_id_and_secret_go_as_http_basic(app, subscribe, hook, endpoint):
    subscribe(hook(), token_scope="hooks:write all", token_response_type="token")
    publish(app)

    drain()

    (asked,) = endpoint.asked
    pair = base64.b64encode(f"me:{CLIENT_SECRET}".encode()).decode()
    assert asked.headers["Authorization"] == f"Basic {pair}"
    assert asked.content_type == "application/x-www-form-urlencoded"
    assert asked.form.to_dict() == {
        "grant_type": "client_credentials",
        "scope": "hooks:write all",
        "response_type": "token",
    }


def test_in_a_form_they_stand_beside_the_grant_and_what_is_not_set_is_left_out(
    app, subscribe, hook, endpoint
):
    subscribe(hook(), token_request_type="FORM")
    publish(app)

    drain()

    (asked,) = endpoint.asked
    assert "Authorization" not in asked.headers
    assert asked.form.to_dict() == {
        "grant_type": "client_credentials",
        "client_id": "me",
        "client_secret": CLIENT_SECRET,
    }


@pytest.mark.parametrize(
    "answer",
    [
        Response(b"not json"),
        Response(b"[]"),
        token("", expires_in=3600),
        token(7, expires_in=3600),
        token("two words", expires_in=3600),
        token("line\r\nX-Injected: yes", expires_in=3600),
        token("without-an-end"),
        token("t", expires_in="soon"),
        Response(status=302, headers={"Location": "/hook"}),
    ],
)
def test_an_answer_without_a_usable_token_is_a_failure(app, subscribe, hook, endpoint, httpserver, answer):
    endpoint.answers = [answer]
    subscribe(hook())
    publish(app)

    drain()

    assert Attempt.objects.get().error == "token"
    assert not called(httpserver)


def test_a_life_that_is_written_as_text_is_understood(app, subscribe, hook, endpoint, httpserver):
    endpoint.expires_in = "3599"
    subscribe(hook())
    publish(app, times=2)

    drain()

    assert bearers(httpserver) == ["Bearer token-1", "Bearer token-1"]


def test_a_long_token_is_carried_whole(app, subscribe, hook, endpoint, httpserver):
    endpoint.answers = [token("x" * 6000, expires_in=3600)]
    subscribe(hook())
    publish(app)

    drain()

    assert bearers(httpserver) == ["Bearer " + "x" * 6000]


def test_while_the_token_endpoint_is_down_nothing_is_sent_and_then_all_is(
    app, subscribe, hook, endpoint, httpserver
):
    endpoint.answers = [Response(status=503)]
    subscribe(hook())
    publish(app)

    drain()
    failed = Attempt.objects.get()
    assert (failed.result, failed.error, failed.status_code) == ("RETRYING", "token", None)
    assert failed.detail == "token endpoint: HTTP 503"
    assert not called(httpserver)

    drain(horizon=HOUR)
    assert [attempt.result for attempt in Attempt.objects.order_by("number")] == ["RETRYING", "DELIVERED"]
    assert bearers(httpserver) == ["Bearer token-2"]


def test_a_token_endpoint_that_nobody_reaches_is_asked_until_the_window_ends(
    app, subscribe, hook, httpserver, settings
):
    settings.WEBHOOK_RETRY_WINDOW = 60
    subscribe(hook(), token_endpoint="http://127.0.0.1:9/closed")
    publish(app)

    drain(horizon=HOUR)

    assert DeadLetter.objects.get().reason.startswith("token: token endpoint: connect")
    assert not called(httpserver)
    assert not Entry.objects.exists()


def test_a_forbidden_token_endpoint_is_never_dialled(app, subscribe, hook, endpoint, httpserver, settings):
    port = httpserver.port
    subscribe(hook(), token_endpoint=f"http://127.0.0.2:{port}/token")
    settings.OUTBOUND_ALLOWED_NETWORKS = [ip_network("127.0.0.1/32")]
    publish(app)

    drain()

    attempt = Attempt.objects.get()
    assert (attempt.result, attempt.error) == ("RETRYING", "token")
    assert "forbidden" in attempt.detail
    assert not httpserver.log


def test_neither_log_nor_attempts_hold_a_secret(app, subscribe, hook, endpoint, caplog):
    echo = Response(orjson.dumps({"error": "invalid_client", "you_sent": CLIENT_SECRET}), status=400)
    endpoint.answers = [echo]
    subscribe(hook())
    publish(app)

    with caplog.at_level(logging.DEBUG):
        drain(horizon=HOUR)

    kept = caplog.text + repr(list(Attempt.objects.values()))
    assert Attempt.objects.count() == 2
    for secret in (CLIENT_SECRET, "token-2", "a-webhook-secret"):
        assert secret not in kept
