"""The pages of a webhook that deliver again: one event, a span of them, dead letters."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outbox.draining import drain
from projects import clock
from tests.portal.webhooks.deliveries import HOUR, make_event, page, read, try_
from webhooks.models import DeadLetter, Replay
from webhooks.repeating import replaying

pytestmark = pytest.mark.django_db


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
