"""An app's `rate_limits` and its queue: messages wait for their turn, callbacks are told to come again."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from uuid import uuid4

import orjson
import pytest
import time_machine
from django.test import Client

from conversations.models import Message
from conversations.reaching import backlog
from conversations.reaching.delivery import Sending
from conversations.reaching.statuses import SENDING
from gateway.channels.base import Channel
from outbox import entries
from outbox.draining import drain
from outbox.kinds import Pace
from outbox.models import Entry
from projects import ids
from tests.factories import api_client, make_app, path

pytestmark = pytest.mark.django_db


@pytest.fixture
def app():
    return make_app(channels=[Channel.SANDBOX, Channel.SMS])


def send(app):
    identities = [{"channel": "SANDBOX", "identity": "46700000010"}]
    body = {
        "app_id": app.id,
        "recipient": {"identified_by": {"channel_identities": identities}},
        "message": {"text_message": {"text": "hello"}},
    }
    return api_client(app.project).post(path(app.project, "messages:send"), body, format="json")


def owners(app):
    return [ids.to_uuid(credential.id) for credential in app.credentials.all()]


def fill(app, count):
    first = owners(app)[0]
    entries.put(SENDING, [(first, uuid4()) for _ in range(count)])


def test_the_channels_of_an_app_share_its_outbound_rate(app, django_assert_num_queries):
    app.outbound_rate = 20
    app.save()
    other = make_app(outbound_rate=7)
    asked = [*owners(app), *owners(other)]

    with django_assert_num_queries(1):
        paces = Sending().paces(asked)

    shared, own = Pace(f"messages of {app.id}", 20), Pace(f"messages of {other.id}", 7)
    assert paces == dict(zip(asked, [shared, shared, own], strict=True))


def test_a_rate_of_0_is_no_limit(app):
    app.outbound_rate = 0
    app.save()

    assert Sending().paces(owners(app)) == {}


def test_messages_leave_at_the_app_s_outbound_rate_and_none_is_refused(app):
    app.outbound_rate = 20
    app.save()
    assert {send(app).status_code for _ in range(24)} == {200}
    began_at = time.monotonic()

    drain()

    assert 0.9 < time.monotonic() - began_at < 10.0
    assert not Message.objects.filter(status="ACCEPTED").exists()


def test_a_full_queue_takes_no_more_until_it_has_room(app, monkeypatch):
    monkeypatch.setattr(backlog, "LIMIT", 3)
    fill(app, 3)

    refused = send(app)

    assert refused.status_code == 429
    assert refused["retry-after"] == "1"
    assert refused.json()["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert not Message.objects.exists()
    Entry.objects.all().delete()
    time.sleep(1.05)
    assert send(app).status_code == 200


def test_another_app_s_queue_does_not_matter(app, monkeypatch):
    monkeypatch.setattr(backlog, "LIMIT", 3)
    fill(app, 3)

    assert send(make_app(app.project)).status_code == 200


def test_the_queue_is_counted_rarely_while_it_is_far_from_full(app, django_assert_num_queries):
    backlog.is_full(app)

    with django_assert_num_queries(0):
        assert not any(backlog.is_full(app) for _ in range(100))


def test_a_channel_that_calls_too_often_is_told_to_come_again(app):
    app.inbound_rate = 2
    app.save()
    url = f"/callbacks/SANDBOX/{app.credentials.first().id}"
    body = orjson.dumps({})

    with time_machine.travel(datetime.now(UTC), tick=False):
        answers = [Client().post(url, body, content_type="application/json") for _ in range(3)]

    assert 429 not in [answer.status_code for answer in answers[:2]]
    assert answers[2].status_code == 429
    assert answers[2]["retry-after"] == "1"
    assert answers[2].json()["error"]["status"] == "RESOURCE_EXHAUSTED"
