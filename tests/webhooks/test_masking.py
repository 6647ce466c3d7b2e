"""What receivers show of what they were sent is kept without our secrets."""

from __future__ import annotations

from urllib.parse import quote

import orjson
import pytest
from werkzeug import Request, Response

from outbox.draining import drain
from projects import clock
from tests.factories import make_webhook
from tests.webhooks.tokens import CLIENT_SECRET, called, publish
from webhooks import rotating
from webhooks.models import Attempt

SECRET = 'a "quoted" secret, Ünï'
SPELLINGS = {
    "as it is": SECRET,
    "in JSON": orjson.dumps({"sent": SECRET}).decode(),
    "in ASCII JSON": SECRET.replace('"', '\\"').replace("Ü", "\\u00dc").replace("ï", "\\u00ef"),
    "in a form": "key=" + SECRET.replace(" ", "+").replace('"', "%22").replace(",", "%2C").replace(
        "Ü", "%C3%9C"
    ).replace("ï", "%C3%AF"),
    "in a URL": "/?key=" + quote(SECRET, safe=""),
}  # fmt: skip


def kept() -> str:
    """What the latest attempt holds of the answer."""
    return bytes(Attempt.objects.latest("pk").response_body).decode()


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_an_answer_that_shows_the_secret_is_kept_without_it(app, hook, spelling):
    make_webhook(app, hook(Response(f"before {spelling} after", 400)), secret=SECRET)
    publish(app)

    drain()

    assert kept().startswith("before ")
    assert kept().endswith(" after")
    assert "****" in kept()
    assert "quoted" not in kept()


@pytest.mark.parametrize("name", ["as it is", "in a form", "in a URL"])
def test_a_header_that_shows_the_secret_is_kept_without_it(app, hook, name):
    make_webhook(app, hook(Response(headers={"X-Echo": f"before {SPELLINGS[name]} after"})), secret=SECRET)
    publish(app)

    drain()

    echoed = Attempt.objects.get().headers["x-echo"]
    assert (echoed.startswith("before "), echoed.endswith(" after")) == (True, True)
    assert "****" in echoed
    assert "quoted" not in echoed


def test_a_receiver_that_echoes_our_headers_does_not_get_the_token_into_the_log(
    app, subscribe, endpoint, httpserver
):
    def echo(request: Request) -> Response:
        return Response(orjson.dumps({"headers": dict(request.headers), "secret": CLIENT_SECRET}), 500)

    httpserver.expect_request("/echo").respond_with_handler(echo)
    subscribe(httpserver.url_for("/echo"))
    publish(app)

    drain()

    assert called(httpserver, "/echo")[0].headers["Authorization"] == "Bearer token-1"
    assert '"Authorization":"Bearer ****"' in kept()
    assert CLIENT_SECRET not in kept()


def test_a_secret_at_which_the_answer_was_cut_is_masked_as_far_as_it_came(app, hook):
    make_webhook(app, hook(Response("x" * 4080 + "a-long-secret-indeed", 400)), secret="a-long-secret-indeed")
    publish(app)

    drain()

    assert kept() == "x" * 4080 + "****"


def test_retired_secrets_are_masked_too(app, hook):
    webhook = make_webhook(app, hook(Response("the-old-secret the-new-secret")), secret="the-old-secret")
    rotating.rotate(webhook, new_secret="the-new-secret", now=clock.now())
    publish(app)

    drain()

    assert kept() == "**** ****"
