"""The callback_url of a send: reports on that message go there instead of to the webhooks."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from conversations.models import Message
from outbox.draining import drain
from outbox.models import Entry, Lane
from tests.factories import make_app, make_webhook, path
from tests.webhooks.asking import violations
from tests.webhooks.overriding import publish, told
from webhooks.models import Event, Webhook
from webhooks.triggers import Trigger

HOUR = timedelta(hours=1)


def send(client, app, **fields: Any) -> Any:
    body = {
        "app_id": app.id,
        "recipient": {
            "identified_by": {"channel_identities": [{"channel": "SANDBOX", "identity": "46700000001"}]}
        },
        "message": {"text_message": {"text": "hello"}},
    }
    return client.post(path(app.project, "messages:send"), body | fields, format="json")


def test_reports_on_the_message_go_to_its_callback_url_and_the_rest_to_the_webhooks(
    app, client, hook, httpserver
):
    make_webhook(app, hook(path="/webhook"))
    overriding = hook(path="/overriding")

    assert send(client, app, callback_url=overriding).status_code == 200
    drain(horizon=HOUR)

    assert sorted(told(httpserver, "/overriding")) == [
        "message_delivery_report DELIVERED",
        "message_delivery_report QUEUED_ON_CHANNEL",
        "message_submit_notification",
    ]
    assert sorted(told(httpserver, "/webhook")) == [
        "contact_create_notification",
        "conversation_start_notification",
    ]


def test_the_next_message_is_reported_to_the_webhooks_again(app, client, hook, httpserver):
    make_webhook(app, hook(path="/webhook"), triggers=[Trigger.MESSAGE_SUBMIT])
    send(client, app, callback_url=hook(path="/overriding"))

    send(client, app)
    send(client, app, callback_url="")
    drain()

    assert told(httpserver, "/webhook") == ["message_submit_notification"] * 2


def test_a_callback_url_needs_no_webhook(app, client, hook, httpserver):
    send(client, app, callback_url=hook())

    drain()

    assert told(httpserver, "/hook")
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.1/hook",
        "https://[::1]/hook",
        "http://169.254.169.254/latest",
        "ftp://127.0.0.1/hook",
        "https://me:secret@127.0.0.1/hook",
        "not a url",
        "http://127.0.0.1:9/".ljust(743, "x"),
    ],
)
def test_a_url_that_may_not_be_called_is_refused_where_it_is_named(app, client, url):
    answer = send(client, app, callback_url=url)

    assert list(violations(answer)) == ["callback_url"]
    assert not Message.objects.exists()


def test_a_url_of_742_characters_is_called(app, client, hook, httpserver):
    longest = hook(path="/long") + "?of="
    longest = longest.ljust(742, "x")

    assert send(client, app, callback_url=longest).status_code == 200
    drain()

    assert told(httpserver, "/long")


def test_one_lane_serves_all_urls_of_an_app_on_one_server(app, now):
    for url in (
        "https://a.example/1?id=7",
        "https://a.example/2",
        "https://A.example",
        "https://b.example/1",
    ):
        publish(app, now, url)
    publish(make_app(app.project), now, "https://a.example/1?id=7")

    lanes = Lane.objects.filter(kind="callback_url")
    assert sorted(lane.entries.count() for lane in lanes) == [1, 1, 3]


def test_a_send_that_is_undone_tells_nobody(app, now):
    with transaction.atomic():
        publish(app, now, "https://a.example/")
        transaction.set_rollback(True)

    assert not Event.objects.exists()
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_first_messages_to_a_server_may_come_at_once(app, now):
    start = threading.Barrier(4)

    def send_one() -> None:
        start.wait()
        publish(app, now, "https://a.example/")
        connection.close()

    senders = [threading.Thread(target=send_one) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()

    assert Lane.objects.get(kind="callback_url").entries.count() == 4


def test_publishing_to_a_callback_url_takes_one_query(app, now, django_assert_num_queries):
    publish(app, now, "https://a.example/1")  # the first event for a server opens its lane

    with django_assert_num_queries(1):  # the event, the outbox entry
        publish(app, now, "https://a.example/2")
