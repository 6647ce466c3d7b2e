"""What goes to a callback_url is signed, tried again, logged and given up as what goes to a webhook is."""

from __future__ import annotations

import warnings
from datetime import timedelta

import pytest
from standardwebhooks import Webhook as StandardWebhook
from werkzeug import Response

from outbox.draining import drain
from outbox.models import Entry
from portal.logs import JSONFormatter
from projects import ids
from projects.models import App
from tests.factories import make_app, make_user, make_webhook
from tests.portal.pages import login
from tests.webhooks.overriding import publish, told
from webhooks.models import Attempt, DeadLetter, Event

with warnings.catch_warnings():  # an escape in a docstring of the client warns where it is compiled
    warnings.simplefilter("ignore")
    from sinch.domains.conversation.sinch_events.v1 import ConversationSinchEvent

SECRET = "the-secret-of-overriding-URLs"
HOUR = timedelta(hours=1)
DAYS = timedelta(days=4)


def test_it_is_signed_with_the_secret_for_overridden_urls_so_that_the_official_client_accepts_it(
    hook, httpserver, now, db
):
    app = make_app(callback_secret=SECRET)
    make_webhook(app, "https://hooks.example.com/", secret="the webhook's own")
    publish(app, now, hook())

    drain()

    ((request, _),) = httpserver.log
    headers = dict(request.headers)
    assert ConversationSinchEvent(SECRET).validate_authentication_header(headers, request.get_data())
    assert not ConversationSinchEvent("the webhook's own").validate_authentication_header(
        headers, request.get_data()
    )
    assert StandardWebhook(SECRET.encode()).verify(request.get_data(), headers)
    assert headers["Webhook-Id"] == Event.objects.get().id


def test_without_such_a_secret_it_is_not_signed(app, hook, httpserver, now):
    publish(app, now, hook())

    drain()

    ((request, _),) = httpserver.log
    assert not [name for name, _ in request.headers if "signature" in name.lower()]


def test_what_fails_comes_back_in_the_same_bytes_and_is_in_the_log(app, hook, httpserver, now):
    url, message_id = hook(500, 200), ids.ulid()
    publish(app, now, url, message_id=message_id, accept_time=now)

    drain(horizon=HOUR)

    first, second = (request.get_data() for request, _ in httpserver.log)
    attempts = Attempt.objects.order_by("number")
    assert first == second
    assert [(a.result, a.status_code, a.callback_url) for a in attempts] == [
        ("RETRYING", 500, url),
        ("DELIVERED", 200, url),
    ]
    assert {(a.webhook_id, a.message_id, a.accept_time) for a in attempts} == {(None, message_id, now)}


def test_what_is_never_taken_is_buried_once(app, hook, settings, now):
    settings.WEBHOOK_RETRY_WINDOW = 60
    url = hook(500)
    publish(app, now, url)

    drain(horizon=DAYS)

    letter = DeadLetter.objects.get()
    assert (letter.webhook_id, letter.callback_url, letter.reason) == (None, url, "HTTP 500")
    assert (letter.event_id, letter.attempts) == (Event.objects.get().id, Attempt.objects.count())
    assert not Entry.objects.exists()


def test_one_that_is_gone_switches_nothing_off(app, hook, httpserver, now):
    webhook = make_webhook(app, hook(200, path="/webhook"))
    url = hook(410)
    publish(app, now, url)
    drain(horizon=DAYS)

    publish(app, now, url)
    drain(horizon=DAYS)

    webhook.refresh_from_db()
    assert webhook.disabled_at is None
    assert DeadLetter.objects.count() == len(httpserver.log) == 2


def test_one_that_became_forbidden_is_never_dialled(app, hook, httpserver, settings, now):
    publish(app, now, hook())
    settings.OUTBOUND_ALLOWED_NETWORKS = []

    drain(horizon=DAYS)

    assert not httpserver.log
    assert DeadLetter.objects.get().reason.startswith("forbidden")


def test_a_server_that_is_down_holds_up_no_other(app, hook, httpserver, now):
    for _ in range(3):
        publish(app, now, "http://127.0.0.1:9/closed")
    publish(app, now, hook())
    make_webhook(app, hook(path="/webhook"))
    publish(app, now, "")

    drain()

    assert len(told(httpserver, "/hook")) == len(told(httpserver, "/webhook")) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda: App.objects.update(deleted_at="2026-01-01T00:00:00Z"),
        lambda: Event.objects.all().delete(),
    ],
    ids=["its app deleted", "its event purged"],
)
def test_what_must_not_be_sent_any_more_is_dropped(app, hook, httpserver, now, change):
    publish(app, now, hook())
    change()

    drain(horizon=DAYS)

    assert not httpserver.log
    assert not Attempt.objects.exists()
    assert not Entry.objects.exists()


def test_the_log_hides_the_url(app, hook, caplog, now):
    publish(app, now, hook(Response("ok")) + "?token=in-the-url")

    with caplog.at_level("INFO", logger="webhooks.delivering.delivery"):
        drain()

    (record,) = [record for record in caplog.records if record.name == "webhooks.delivering.delivery"]
    line = JSONFormatter().format(record)
    assert f'"event": "{Event.objects.get().id}", "webhook": null' in line
    assert f'"app": "{app.id}"' in line
    assert "in-the-url" not in line


def test_the_portals_log_of_attempts_names_the_url(app, hook, now):
    url = hook()
    publish(app, now, url)
    drain()
    portal = login(make_user(app.project))

    listed = portal.get("/admin/webhooks/attempt/")
    shown = portal.get(f"/admin/webhooks/attempt/{Attempt.objects.get().pk}/change/")

    assert url in listed.text
    assert url in shown.text
