"""The pages of a webhook: its log, replays, test events, signatures and secret."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.urls import reverse

from gateway import signing
from outbox.draining import drain
from projects import clock
from projects.models import Role
from tests import factories
from tests.portal.pages import form_of, login
from webhooks.models import Attempt, DeadLetter, Event, Replay
from webhooks.repeating import replaying
from webhooks.triggers import Trigger

pytestmark = pytest.mark.django_db
SECRET = "a-webhook-secret"
HOUR = timedelta(hours=1)


@pytest.fixture
def app(settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    return factories.make_app(display_name="Parcels")


@pytest.fixture
def webhook(app, httpserver):
    httpserver.expect_request("/hook").respond_with_json({"taken": True})
    return factories.make_webhook(app, httpserver.url_for("/hook"), secret=SECRET)


@pytest.fixture
def client(app):
    return login(factories.make_user(app.project, Role.OPERATOR))


@pytest.fixture
def viewer(app):
    return login(factories.make_user(app.project, Role.VIEWER))


def page(webhook, name="change", *places):
    return reverse(f"admin:webhooks_webhook_{name}", args=[webhook.pk, *places])


def read(client, address, **query):
    return client.get(address, query).content.decode()


def make_event(app, trigger=Trigger.MESSAGE_INBOUND):
    now = clock.now()
    return Event.objects.create(
        app=app, trigger=trigger, body=b'{"text":"what was said"}', accept_time=now, created_at=now - HOUR
    )


def try_(webhook, event, **fields):
    told = {"number": 1, "result": "DELIVERED", "status_code": 200, "started_at": clock.now()} | fields
    return Attempt.objects.create(
        app=event.app, accept_time=event.accept_time, event_id=event.pk, webhook=webhook, **told
    )


def test_the_log_lists_tries_and_what_filters_leave_of_them(client, app, webhook):
    taken, refused = make_event(app), make_event(app, Trigger.OPT_IN)
    try_(webhook, taken)
    try_(webhook, refused, result="GIVEN_UP", status_code=404)

    everything = read(client, page(webhook, "log"))
    filtered = [
        read(client, page(webhook, "log"), **query)
        for query in (
            {"trigger": "OPT_IN"},
            {"result": "GIVEN_UP"},
            {"status_class": "4xx"},
            {"event_id": refused.pk},
        )
    ]

    assert taken.pk in everything
    assert refused.pk in everything
    assert [(refused.pk in one, taken.pk in one) for one in filtered] == [(True, False)] * 4


def test_the_log_goes_on_where_its_page_ended_and_ignores_a_place_that_is_none(client, app, webhook):
    events = [make_event(app) for _ in range(51)]
    for event in events:
        try_(webhook, event)

    first = client.get(page(webhook, "log"))
    second = client.get(f"{page(webhook, 'log')}?{first.context['older']}")

    assert (len(first.context["rows"]), len(second.context["rows"])) == (50, 1)
    assert client.get(page(webhook, "log"), {"page": "nonsense"}).status_code == 302


@pytest.mark.parametrize("number", [2, 9])
def test_the_log_asks_as_many_questions_whatever_its_length(
    client, app, webhook, number, django_assert_max_num_queries
):
    for _ in range(number):
        try_(webhook, make_event(app))

    with django_assert_max_num_queries(10):
        client.get(page(webhook, "log"))


def test_a_delivery_is_shown_with_the_request_and_every_answer(client, app, webhook):
    event = make_event(app)
    answer = {"response_headers": b"retry-after: 7", "response_body": b"too <b>busy</b>"}
    try_(
        webhook, event, result="RETRYING", status_code=503, phases_ms=[1, 3, 9, 20], duration_ms=25, **answer
    )

    shown = read(client, page(webhook, "delivery", event.pk))

    assert "what was said" in shown
    assert "HTTP 503" in shown
    assert "too &lt;b&gt;busy" in shown
    assert "retry-after: 7" in shown
    assert "name 1 ms, connection 2 ms, tls 6 ms, first byte 11 ms, rest 5 ms<" in shown
    assert SECRET not in shown


def test_a_body_that_was_purged_is_said_to_be(client, app, webhook):
    event = make_event(app)
    try_(webhook, event)
    Event.objects.filter(pk=event.pk).delete()

    assert "The body was purged" in read(client, page(webhook, "delivery", event.pk))


def test_a_delivery_of_another_webhook_is_none_of_this_one(client, app, webhook):
    other = factories.make_webhook(app, "https://other.example/")
    event = make_event(app)
    try_(other, event)

    assert client.get(page(webhook, "delivery", event.pk)).status_code == 302


def test_a_delivery_is_replayed_and_its_progress_shown(client, app, webhook, httpserver):
    event = make_event(app)
    try_(webhook, event)

    answer = client.post(page(webhook, "again", event.pk))
    before = read(client, answer["Location"])
    drain()
    after = read(client, answer["Location"])

    assert len(httpserver.log) == 1
    assert "0 of 1 event" in before
    assert "1 of 1 event" in after
    assert "Replay" in read(client, page(webhook, "log"), replay_id=Replay.objects.get().pk)


def test_a_span_is_counted_before_it_is_replayed(client, app, webhook):
    make_event(app)
    make_event(app)
    now = clock.now()
    asked = {
        "start_time": (now - 2 * HOUR).isoformat(), "end_time": now.isoformat(), "per_second": 50, "trigger": "",
    }  # fmt: skip

    counted = read(client, page(webhook, "replay"), **asked)
    assert not Replay.objects.exists()
    answer = client.post(page(webhook, "replay"), asked)

    replay = Replay.objects.get()
    assert "2 events" in counted
    assert answer["Location"] == page(webhook, "progress", replay.pk)
    assert (replay.count, replay.per_second) == (2, 50)


def test_dead_letters_are_one_link_away_from_their_replay(client, app, webhook):
    event = make_event(app)
    DeadLetter.objects.create(
        app=app, accept_time=event.accept_time, event_id=event.pk, webhook=webhook, reason="HTTP 500", attempts=9,
        died_at=clock.now(),
    )  # fmt: skip

    offered = read(client, page(webhook, "replay"))
    form = client.get(page(webhook, "replay"), {"only_failed": "on"}).context["form"]

    assert "Replay the dead letters" in offered
    assert form.initial["only_failed"]
    assert form.initial["end_time"] - form.initial["start_time"] == timedelta(days=14)


def test_a_replay_is_cancelled(client, app, webhook):
    make_event(app)
    now = clock.now()
    span = replaying.Span(start=now - 2 * HOUR, end=now)
    replay = replaying.start(webhook, span, per_second=1, asked_by="somebody", now=now)

    client.post(page(webhook, "progress", replay.pk))

    replay.refresh_from_db()
    assert replay.state == Replay.State.CANCELLED
    assert "Cancelled" in read(client, page(webhook, "progress", replay.pk))


def test_a_refusal_is_told(client, app, webhook):
    webhook.disabled_at = clock.now()
    webhook.save()
    event = make_event(app)
    try_(webhook, event)

    answer = client.post(page(webhook, "again", event.pk), follow=True).content.decode()

    assert "Nothing is sent to this webhook" in answer


def test_a_test_event_is_sent_and_what_came_back_is_shown(client, webhook, httpserver):
    sample = read(client, page(webhook, "test"), trigger="OPT_OUT")
    shown = client.post(page(webhook, "test"), {"trigger": "OPT_OUT"}).content.decode()

    assert "OPT_OUT_SUCCEEDED" in sample
    assert len(httpserver.log) == 1
    assert "HTTP 200" in shown
    assert "taken" in shown
    assert "First byte" in shown
    assert SECRET not in shown


def test_a_webhook_that_was_switched_off_is_enabled_by_hand(client, webhook):
    webhook.disabled_at, webhook.disabled_reason = clock.now(), "HTTP 410: the receiver is gone"
    webhook.save()

    said = read(client, page(webhook))
    client.post(page(webhook, "enable"))

    webhook.refresh_from_db()
    assert "HTTP 410: the receiver is gone" in said
    assert webhook.disabled_at is None


def test_to_look_at_the_address_that_enables_changes_nothing(client, webhook):
    webhook.disabled_at = clock.now()
    webhook.save()

    client.get(page(webhook, "enable"))

    webhook.refresh_from_db()
    assert webhook.disabled_at


def test_a_pasted_signature_is_checked(client, webhook):
    body = '{"a":1}'
    headers = signing.headers(body.encode(), SECRET, nonce="n0nce", timestamp=1_790_000_000)
    pasted = "\r\n".join(f"{name}: {value}" for name, value in headers.items())

    valid = client.post(page(webhook, "verify"), {"headers": pasted, "body": body}).content.decode()
    changed = client.post(page(webhook, "verify"), {"headers": pasted, "body": "{}"}).content.decode()

    assert "It fits" in valid
    assert "It does not fit" in changed
    assert SECRET not in valid + changed


def test_a_secret_is_generated_and_shown_once(client, webhook):
    shown = client.post(page(webhook, "secret"), {"rotate": "1", "overlap": 24})

    webhook.refresh_from_db()
    assert webhook.secret != SECRET
    assert shown.context["generated"] == webhook.secret
    assert webhook.secret not in read(client, page(webhook, "secret"))


def test_during_the_overlap_the_old_secret_leads_until_it_is_changed_over(client, webhook):
    client.post(page(webhook, "secret"), {"rotate": "1", "overlap": 24, "new_secret": "another-long-secret"})
    before = client.get(page(webhook, "secret")).context["keyring"]

    client.post(page(webhook, "secret"), {"flip": "1"})
    after = client.get(page(webhook, "secret")).context["keyring"]

    assert (before.leader.text, after.leader.text) == (SECRET, "another-long-secret")
    assert len(after.secrets) == 2


def test_one_box_stands_for_all_triggers_of_a_group(client, webhook):
    address = page(webhook)
    fields = form_of(client, address, "webhook_form")

    client.post(address, fields | {"triggers": ["ALL_CONVERSATIONS", "OPT_IN"]})

    webhook.refresh_from_db()
    assert webhook.triggers == ["CONVERSATION_START", "CONVERSATION_STOP", "CONVERSATION_DELETE", "OPT_IN"]


def test_one_box_stands_for_all_triggers_there_are(client, webhook):
    address = page(webhook)

    client.post(address, form_of(client, address, "webhook_form") | {"triggers": ["ALL"]})

    webhook.refresh_from_db()
    assert webhook.triggers == list(Trigger)


def test_the_page_says_how_the_webhook_is_doing(client, app, webhook):
    for status in (200, 200, 200, 500):
        try_(
            webhook, make_event(app), result="DELIVERED" if status == 200 else "RETRYING", status_code=status
        )

    shown = client.get(page(webhook))

    assert "75 %" in shown.content.decode()
    assert (shown.context["bars"][-1].hour.delivered, shown.context["bars"][-1].hour.failed) == (3, 1)


def test_a_viewer_reads_everything_and_does_nothing(viewer, app, webhook, httpserver):
    event = make_event(app)
    try_(webhook, event)
    running = factories.make_replay(webhook)

    read_pages = [viewer.get(page(webhook, name)) for name in ("log", "replay", "test", "verify", "secret")]
    read_pages += [
        viewer.get(page(webhook, "delivery", event.pk)),
        viewer.get(page(webhook, "progress", running.pk)),
    ]
    done = [viewer.post(page(webhook, name)) for name in ("replay", "test", "verify", "secret", "enable")]
    done += [
        viewer.post(page(webhook, "again", event.pk)),
        viewer.post(page(webhook, "progress", running.pk)),
    ]

    assert {answer.status_code for answer in read_pages} == {200}
    assert not any('method="post" action="/admin/webhooks' in one.content.decode() for one in read_pages)
    assert {answer.status_code for answer in done} == {403}
    assert not httpserver.log
    running.refresh_from_db()
    assert running.state == Replay.State.RUNNING
