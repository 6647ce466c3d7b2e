from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from gateway.http import Request, Response
from outbox.kinds import Claimed, Result
from projects import ids
from tests.factories import make_replay, make_webhook
from webhooks.delivering import pacing, receivers
from webhooks.delivering.delivery import EventDelivery
from webhooks.delivering.keyrings import Keyring
from webhooks.delivering.receivers import Receiver
from webhooks.models import Attempt, DeadLetter, Event
from webhooks.repeating.redelivery import Redelivery
from webhooks.triggers import Trigger

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TO_WEBHOOKS = EventDelivery("webhook", receivers=receivers.webhooks, paces=pacing.webhooks)
TO_CALLBACK_URLS = EventDelivery(
    "callback_url", receivers=receivers.callback_urls, paces=pacing.callback_urls
)


def claimed(app, *, webhooks: int, events: int) -> list[Claimed]:
    """An entry for each event and webhook."""
    owners = [make_webhook(app, f"https://{number}.example/").id for number in range(webhooks)]
    refs = [
        Event.objects.create(app=app, trigger=Trigger.OPT_IN, body=b"{}", accept_time=NOW).id
        for _ in range(events)
    ]
    pairs = [(ids.to_uuid(owner), ids.to_uuid(ref)) for owner in owners for ref in refs]
    return [entry(number, *pair) for number, pair in enumerate(pairs)]


def entry(number: int, owner: UUID, ref: UUID) -> Claimed:
    return Claimed(id=number, owner=owner, ref=ref, attempt=1, created_at=NOW, due_at=NOW)


def result(entry: Claimed, status: int, **answer: Any) -> Result:
    owner = ids.from_uuid(entry.owner)
    receiver = Receiver(url="https://0.example/", keyring=Keyring(), webhook_id=owner, is_4xx_final=True)
    request, response = Request("POST", receiver.url, tag=receiver), Response(status, **answer)
    return Result(entry, request, response, TO_WEBHOOKS.read(entry, request, response), NOW)


@pytest.mark.parametrize(("webhooks", "events"), [(1, 1), (4, 6)])
def test_loading_takes_two_queries_whatever_the_batch(app, webhooks, events, django_assert_num_queries):
    batch = claimed(app, webhooks=webhooks, events=events)

    with django_assert_num_queries(3):  # strangers are got to know
        TO_WEBHOOKS.load(batch)
    with django_assert_num_queries(2):
        loaded = TO_WEBHOOKS.load(batch)

    assert set(loaded) == {entry.id for entry in batch}


@pytest.mark.parametrize("events", [1, 6])
def test_loading_what_goes_to_callback_urls_takes_two_queries_too(app, events, django_assert_num_queries):
    url = "https://overriding.example/"
    Event.objects.bulk_create(
        Event(app=app, trigger=Trigger.MESSAGE_SUBMIT, body=b"{}", accept_time=NOW, callback_url=url)
        for _ in range(events)
    )
    batch = [
        entry(number, ids.to_uuid(app.id), ids.to_uuid(event.id))
        for number, event in enumerate(Event.objects.all())
    ]

    with django_assert_num_queries(2):
        loaded = TO_CALLBACK_URLS.load(batch)

    assert [request.url for request in loaded.values()] == [url] * events


@pytest.mark.parametrize(("webhooks", "events"), [(3, 1), (4, 6)])
def test_recording_takes_four_queries_whatever_the_batch(app, webhooks, events, django_assert_num_queries):
    batch = claimed(app, webhooks=webhooks, events=events)
    answers = [200, 404, 500]
    results = [result(entry, answers[number % 3]) for number, entry in enumerate(batch)]

    with django_assert_num_queries(4):  # attempts, the dead ones' events, dead letters, conditions
        TO_WEBHOOKS.record(results)

    assert Attempt.objects.count() == len(batch)
    assert DeadLetter.objects.exists()


def test_recording_successes_takes_two_queries(app, django_assert_num_queries):
    results = [result(entry, 200) for entry in claimed(app, webhooks=2, events=3)]

    with django_assert_num_queries(2):
        TO_WEBHOOKS.record(results)


def test_of_an_event_that_was_purged_meanwhile_nothing_is_kept(app):
    (entry,) = claimed(app, webhooks=1, events=1)
    Event.objects.all().delete()

    TO_WEBHOOKS.record([result(entry, 0, error="forbidden")])

    assert not Attempt.objects.exists()
    assert not DeadLetter.objects.exists()


def test_an_event_that_dies_twice_is_buried_once(app):
    (entry,) = claimed(app, webhooks=1, events=1)
    TO_WEBHOOKS.record([result(entry, 0, error="forbidden", detail="first")])

    TO_WEBHOOKS.record([result(entry, 410)])

    assert DeadLetter.objects.get().reason == "HTTP 410: the receiver is gone"


@pytest.mark.parametrize("events", [1, 6])
def test_what_is_replayed_costs_one_query_more_whatever_the_batch(app, events, django_assert_num_queries):
    webhook = make_webhook(app)
    owner = ids.to_uuid(make_replay(webhook).id)
    batch = [entry(one.id, owner, one.ref) for one in claimed(app, webhooks=1, events=events)]
    again = Redelivery()
    again.load(batch)  # strangers are got to know

    with django_assert_num_queries(3):
        loaded = again.load(batch)

    assert {request.tag.webhook_id for request in loaded.values()} == {webhook.id}
    assert {request.tag.replay_id for request in loaded.values()} == {ids.from_uuid(owner)}
