from __future__ import annotations

import logging
import warnings
from datetime import timedelta

import orjson
import pytest
from django.db.models import F
from werkzeug import Response

from outbox.draining import drain
from outbox.models import Entry
from portal.logs import JSONFormatter
from tests.factories import make_app, make_webhook
from tests.webhooks.delivering import publish, requests, wait_of
from webhooks.models import Attempt, Condition, DeadLetter, Event, TargetType, Webhook

with warnings.catch_warnings():  # an escape in a docstring of the client warns where it is compiled
    warnings.simplefilter("ignore")
    from sinch.domains.conversation.sinch_events.v1 import ConversationSinchEvent

SECRET = "s3cr3t-Ünï"
HOUR = timedelta(hours=1)
DAYS = timedelta(days=4)


def test_a_callback_is_signed_so_that_the_official_client_accepts_it(app, hook, httpserver):
    make_webhook(app, hook(), secret=SECRET)
    publish(app, metadata="héllo €, 1.0")

    drain()

    (request,) = requests(httpserver)
    headers = dict(request.headers)
    assert ConversationSinchEvent(SECRET).validate_authentication_header(headers, request.get_data())
    assert not ConversationSinchEvent("another").validate_authentication_header(headers, request.get_data())
    assert headers["X-Sinch-Webhook-Signature-Algorithm"] == "HmacSHA256"
    assert request.content_type == "application/json"
    assert "conversation-api" in request.user_agent.string


def test_the_official_client_understands_the_callback(app, hook, httpserver):
    make_webhook(app, hook())
    publish(app)

    drain()

    (request,) = requests(httpserver)
    event = ConversationSinchEvent(SECRET).parse_event(request.get_data())
    assert event.app_id == app.id
    assert event.message_delivery_report.status == "DELIVERED"


def test_without_a_secret_a_callback_carries_no_signature(app, hook, httpserver):
    make_webhook(app, hook(), secret="")
    publish(app)

    drain()

    (request,) = requests(httpserver)
    assert not [name for name, _ in request.headers if "signature" in name.lower()]


def test_a_delivered_event_leaves_the_outbox_and_is_in_the_log(app, hook):
    webhook = make_webhook(app, hook(Response("thanks", 202)))
    publish(app)

    drain()

    attempt, event = Attempt.objects.get(), Event.objects.get()
    assert not Entry.objects.exists()
    assert (attempt.result, attempt.status_code, attempt.number) == ("DELIVERED", 202, 1)
    assert (attempt.webhook_id, attempt.event_id, attempt.app_id) == (webhook.id, event.id, app.id)
    assert (attempt.message_id, attempt.accept_time) == (event.message_id, event.accept_time)
    assert bytes(attempt.response_body) == b"thanks"
    assert attempt.headers["content-length"] == "6"
    assert 0 < attempt.timings.first_byte <= attempt.timings.total == attempt.duration_ms / 1000
    assert attempt.next_at is None


def test_of_an_answer_s_headers_the_first_2_kb_are_kept(app, hook):
    make_webhook(app, hook(Response(headers={"X-Long": "x" * 3000})))
    publish(app)

    drain()

    assert len(Attempt.objects.get().response_headers) == 2048


def test_a_retry_sends_the_same_bytes_signed_anew(app, hook, httpserver):
    make_webhook(app, hook(500, 200), secret=SECRET)
    publish(app)

    drain(horizon=HOUR)

    first, second = requests(httpserver)
    assert first.get_data() == second.get_data() == bytes(Event.objects.get().body)
    assert (
        first.headers["X-Sinch-Webhook-Signature-Nonce"] != second.headers["X-Sinch-Webhook-Signature-Nonce"]
    )
    for request in (first, second):
        assert ConversationSinchEvent(SECRET).validate_authentication_header(
            dict(request.headers), request.get_data()
        )
    assert [a.result for a in Attempt.objects.order_by("number")] == ["RETRYING", "DELIVERED"]
    assert len({a.event_id for a in Attempt.objects.all()}) == 1
    assert not DeadLetter.objects.exists()


def test_failures_come_back_later_and_later_up_to_the_cap(app, hook, settings):
    settings.WEBHOOK_RETRY_BASE, settings.WEBHOOK_RETRY_CAP, settings.WEBHOOK_RETRY_WINDOW = 5, 30, 3600
    make_webhook(app, hook(500))
    publish(app)

    drain(horizon=timedelta(minutes=2))

    attempts = list(Attempt.objects.order_by("number"))
    waits = [wait_of(attempt).total_seconds() for attempt in attempts]
    for wait, scheduled in zip(waits, [5, 10, 20, 30, 30], strict=False):
        assert scheduled <= wait <= scheduled * 1.2 + 1
    assert {attempt.result for attempt in attempts} == {"RETRYING"}
    assert Entry.objects.get().attempts == len(attempts) >= 5


def test_an_event_that_is_never_taken_is_given_up_and_buried(app, hook, settings):
    settings.WEBHOOK_RETRY_WINDOW = 60
    webhook = make_webhook(app, hook(500))
    publish(app)

    drain(horizon=DAYS)

    letter, last = DeadLetter.objects.get(), Attempt.objects.latest("number")
    assert not Entry.objects.exists()
    assert (letter.webhook_id, letter.event_id, letter.reason) == (webhook.id, last.event_id, "HTTP 500")
    assert (letter.attempts, last.result) == (last.number, "GIVEN_UP")
    assert last.started_at - Event.objects.get().created_at <= timedelta(seconds=61)


def test_what_waits_for_a_receiver_that_fails_is_given_up_unsent_when_its_time_is_over(
    app, hook, httpserver, settings
):
    make_webhook(app, hook(500))
    for _ in range(20):
        publish(app)
    drain()
    asked, failures = len(httpserver.log), Condition.objects.get().streak
    Entry.objects.update(created_at=F("created_at") - timedelta(seconds=settings.WEBHOOK_RETRY_WINDOW + 60))

    drain(horizon=timedelta(seconds=30))

    assert not Entry.objects.exists()
    assert (len(httpserver.log), Condition.objects.get().streak) == (asked, failures)
    assert DeadLetter.objects.filter(reason__startswith="expired: the receiver failed").count() == 20
    assert Attempt.objects.filter(result="GIVEN_UP", error="expired", status_code=None).count() == 20


def test_what_came_late_to_a_receiver_that_is_well_is_sent_all_the_same(app, hook, settings):
    make_webhook(app, hook())
    for _ in range(3):
        publish(app)
    Entry.objects.update(created_at=F("created_at") - timedelta(seconds=settings.WEBHOOK_RETRY_WINDOW + 60))

    drain()

    assert [attempt.result for attempt in Attempt.objects.all()] == ["DELIVERED"] * 3


def test_a_redirect_is_a_failure_and_is_not_followed(app, hook, httpserver):
    elsewhere = hook(200, path="/elsewhere")
    make_webhook(app, hook(Response(status=302, headers={"Location": elsewhere})))
    publish(app)

    drain()

    assert [request.path for request in requests(httpserver)] == ["/hook"]
    assert Attempt.objects.get().result == "RETRYING"


def test_a_receiver_that_is_gone_is_not_called_again(app, hook, httpserver):
    webhook = make_webhook(app, hook(410))
    publish(app)

    drain(horizon=DAYS)
    publish(app)
    drain(horizon=DAYS)

    webhook.refresh_from_db()
    assert len(requests(httpserver)) == 1
    assert webhook.disabled_at is not None
    assert "410" in webhook.disabled_reason
    assert [letter.attempts for letter in DeadLetter.objects.order_by("pk")] == [1, 0]


def test_a_receiver_that_nobody_reaches_is_tried_again(app, httpserver):
    make_webhook(app, "http://127.0.0.1:9/closed")
    publish(app)

    drain()

    attempt = Attempt.objects.get()
    assert (attempt.result, attempt.error, attempt.status_code) == ("RETRYING", "connect", None)


def test_a_forbidden_address_is_never_dialled_and_given_up_at_once(app, hook, httpserver, settings):
    make_webhook(app, hook())
    publish(app)
    settings.OUTBOUND_ALLOWED_NETWORKS = []

    drain(horizon=DAYS)

    assert not requests(httpserver)
    assert (Attempt.objects.get().result, Attempt.objects.get().error) == ("GIVEN_UP", "forbidden")
    assert DeadLetter.objects.get().reason.startswith("forbidden")


@pytest.mark.parametrize(
    "change",
    [
        lambda webhook: Webhook.objects.filter(pk=webhook.pk).update(target_type=TargetType.DISMISS),
        lambda webhook: Webhook.objects.filter(pk=webhook.pk).delete(),
        lambda webhook: type(webhook.app).objects.update(deleted_at="2026-01-01T00:00:00Z"),
        lambda _: Event.objects.all().delete(),
    ],
    ids=["dismissing", "deleted", "its app deleted", "its event purged"],
)
def test_what_must_not_be_sent_any_more_is_dropped(app, hook, httpserver, change):
    webhook = make_webhook(app, hook())
    publish(app)
    change(webhook)

    drain(horizon=DAYS)

    assert not requests(httpserver)
    assert not Attempt.objects.exists()
    assert not Entry.objects.exists()


def test_the_log_tells_of_each_attempt_without_secrets_bodies_or_urls(app, hook, caplog):
    webhook = make_webhook(app, hook() + "?token=in-the-url", secret=SECRET)
    publish(app, metadata="in-the-body")

    with caplog.at_level(logging.INFO, logger="webhooks.delivering.delivery"):
        drain()

    (record,) = [record for record in caplog.records if record.name == "webhooks.delivering.delivery"]
    line = orjson.loads(JSONFormatter().format(record))
    assert (line["event"], line["webhook"]) == (Event.objects.get().id, webhook.id)
    assert (line["attempt"], line["result"], line["status"]) == (1, "DELIVERED", 200)
    assert (line["signed_with"], set(line["ms"])) == ("1", {"dns", "connect", "tls", "first_byte", "total"})
    for hidden in ("in-the-url", "in-the-body", SECRET):
        assert hidden not in repr(line)


def test_one_slow_app_shares_no_lane_with_another(app, hook, httpserver):
    other = make_app(app.project)
    make_webhook(app, hook(500, path="/bad"))
    make_webhook(other, hook(200, path="/good"))
    publish(app)
    publish(other)

    drain()

    assert sorted(attempt.result for attempt in Attempt.objects.all()) == ["DELIVERED", "RETRYING"]
