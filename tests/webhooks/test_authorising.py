"""Tokens: a receiver that asks for one gets it with every callback, fetched once and renewed in time."""

from __future__ import annotations

import time
import warnings
from datetime import timedelta

from werkzeug import Request, Response

from outbox.draining import drain
from tests.factories import make_webhook
from tests.webhooks.tokens import bearers, called, publish
from webhooks.models import Attempt

with warnings.catch_warnings():  # an escape in a docstring of the client warns where it is compiled
    warnings.simplefilter("ignore")
    from sinch.domains.conversation.sinch_events.v1 import ConversationSinchEvent

HOUR = timedelta(hours=1)


def test_a_callback_carries_the_token_and_the_signature(app, subscribe, hook, endpoint, httpserver):
    subscribe(hook(), secret="the-signing-secret")
    publish(app)

    drain()

    (request,) = called(httpserver)
    assert request.headers["Authorization"] == "Bearer token-1"
    assert ConversationSinchEvent("the-signing-secret").validate_authentication_header(
        dict(request.headers), request.get_data()
    )


def test_without_a_signing_secret_the_token_stands_alone(app, subscribe, hook, endpoint, httpserver):
    subscribe(hook(), secret="")
    publish(app)

    drain()

    (request,) = called(httpserver)
    assert request.headers["Authorization"] == "Bearer token-1"
    assert not [name for name, _ in request.headers if "signature" in name.lower()]


def test_a_webhook_without_client_credentials_asks_for_no_token(app, hook, endpoint, httpserver):
    make_webhook(app, hook())
    publish(app)

    drain()

    assert bearers(httpserver) == [""]
    assert not endpoint.asked


def test_one_token_serves_many_deliveries_even_when_they_start_at_once(
    app, subscribe, hook, endpoint, httpserver
):
    endpoint.takes_seconds = 0.2
    subscribe(hook())
    publish(app, times=12)

    drain()

    assert bearers(httpserver) == ["Bearer token-1"] * 12
    assert len(endpoint.asked) == 1


def test_webhooks_with_other_credentials_have_their_own_token(app, subscribe, hook, endpoint, httpserver):
    subscribe(hook())
    subscribe(hook(path="/other"), token_scope="another")
    publish(app)

    drain()

    assert len(endpoint.asked) == 2


def test_ten_seconds_before_its_end_a_token_is_used_no_more(app, subscribe, endpoint, httpserver):
    endpoint.expires_in = 11

    def fail_after_more_than_a_second(_: Request) -> Response:
        time.sleep(1.1)
        return Response(status=500)

    httpserver.expect_oneshot_request("/hook").respond_with_handler(fail_after_more_than_a_second)
    httpserver.expect_request("/hook").respond_with_data()
    subscribe(httpserver.url_for("/hook"))
    publish(app, times=2)

    drain(horizon=HOUR)

    assert bearers(httpserver) == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


def test_a_token_that_lasts_no_longer_than_that_serves_once(app, subscribe, hook, endpoint, httpserver):
    endpoint.expires_in = 10
    subscribe(hook(500, 200))
    publish(app)

    drain(horizon=HOUR)

    assert bearers(httpserver) == ["Bearer token-1", "Bearer token-2"]


def test_a_token_that_is_refused_is_replaced_once_in_the_same_try(app, subscribe, hook, endpoint, httpserver):
    subscribe(hook(401, 200))
    publish(app)

    drain()

    first, second = called(httpserver)
    assert bearers(httpserver) == ["Bearer token-1", "Bearer token-2"]
    assert first.get_data() == second.get_data()
    assert [attempt.result for attempt in Attempt.objects.all()] == ["DELIVERED"]


def test_one_new_token_serves_all_whose_old_one_was_withdrawn(app, subscribe, endpoint, httpserver):
    def refuse_the_first(request: Request) -> Response:
        time.sleep(0.2)
        return Response(status=401 if request.headers["Authorization"] == "Bearer token-1" else 200)

    httpserver.expect_request("/hook").respond_with_handler(refuse_the_first)
    subscribe(httpserver.url_for("/hook"))
    publish(app, times=2)

    drain()

    assert sorted(bearers(httpserver)) == ["Bearer token-1"] * 2 + ["Bearer token-2"] * 2
    assert len(endpoint.asked) == 2


def test_a_receiver_that_refuses_the_new_token_too_is_tried_again_later(
    app, subscribe, hook, endpoint, httpserver
):
    subscribe(hook(401))
    publish(app)

    drain()

    attempt = Attempt.objects.get()
    assert (attempt.result, attempt.status_code) == ("RETRYING", 401)
    assert len(called(httpserver)) == len(endpoint.asked) == 2
