from __future__ import annotations

from datetime import timedelta

import pytest
from werkzeug import Response

from outbox.draining import drain
from projects import clock, ids
from tests.factories import make_webhook
from tests.webhooks.tokens import publish
from webhooks import subscribing
from webhooks.models import Attempt, Webhook
from webhooks.tending import health
from webhooks.tending.health import State

HOUR = timedelta(hours=1)


def health_of(webhook: Webhook) -> health.Health:
    webhook.refresh_from_db()
    return health.of([webhook])[webhook.id]


def make_attempt(webhook: Webhook, age: timedelta, duration_ms: int, **fields) -> None:
    at = clock.now() - age
    defaults = {"result": Attempt.Result.DELIVERED, "number": 1, "event_id": ids.ulid()}
    Attempt.objects.create(
        app=webhook.app, webhook=webhook, accept_time=at, started_at=at, duration_ms=duration_ms,
        **(defaults | fields),
    )  # fmt: skip


def test_a_webhook_that_was_never_tried_is_new(app):
    webhook = make_webhook(app)

    found = health_of(webhook)

    assert found.state == State.NEW
    assert (found.success_percent, found.p95_ms, found.streak) == (None, None, 0)
    assert (found.last_success_at, found.oldest_waiting_at) == (None, None)


def test_one_that_takes_what_it_gets_is_healthy(app, hook):
    webhook = make_webhook(app, hook())
    publish(app, times=2)

    drain()

    found = health_of(webhook)
    assert (found.state, found.success_percent, found.streak) == (State.HEALTHY, 100.0, 0)
    assert found.last_success_at is not None
    assert found.failing_since is None


def test_one_whose_latest_tries_failed_is_failing_and_something_waits(app, hook):
    webhook = make_webhook(app, hook(200, 500))
    publish(app)
    drain()
    before = clock.now()
    publish(app)

    drain()

    found = health_of(webhook)
    assert (found.state, found.success_percent, found.streak) == (State.FAILING, 50.0, 1)
    assert found.oldest_waiting_at
    assert found.oldest_waiting_at >= before
    assert found.failing_since
    assert found.failing_since >= before
    assert found.last_success_at
    assert found.last_success_at < before


def test_one_that_asked_to_be_left_alone_is_paused(app, hook):
    webhook = make_webhook(app, hook(Response(status=503, headers={"Retry-After": "600"})))
    publish(app)

    drain()

    assert health_of(webhook).state == State.PAUSED


def test_one_that_is_gone_is_disabled_and_new_again_once_enabled(app, hook):
    webhook = make_webhook(app, hook(410))
    publish(app)
    drain()
    assert health_of(webhook).state == State.DISABLED

    subscribing.enable(webhook)

    found = health_of(webhook)
    assert (found.state, found.streak, found.failing_since) == (State.NEW, 0, None)


def test_a_success_ends_the_streak(app, hook):
    webhook = make_webhook(app, hook(500, 500, 200))
    publish(app)

    drain(horizon=HOUR)

    found = health_of(webhook)
    assert (found.state, found.streak, found.failing_since) == (State.HEALTHY, 0, None)
    assert found.success_percent == pytest.approx(100 / 3)


def test_the_numbers_are_those_of_the_last_day_without_replays(app):
    webhook = make_webhook(app)
    for duration in range(1, 101):
        make_attempt(webhook, HOUR, duration)
    make_attempt(webhook, 25 * HOUR, 9_000, result=Attempt.Result.GIVEN_UP)
    make_attempt(webhook, HOUR, 9_000, result=Attempt.Result.GIVEN_UP, replay_id=ids.ulid())
    make_attempt(webhook, HOUR, 9_000, result=Attempt.Result.DISMISSED)

    found = health_of(webhook)

    assert (found.success_percent, found.p95_ms) == (100.0, 95)


def test_the_states_of_many_are_those_of_each_and_take_one_query(app, hook, django_assert_num_queries):
    busy = Response(status=503, headers={"Retry-After": "600"})
    for number, answer in enumerate([200, 500, 410, busy]):
        make_webhook(app, hook(answer, path=f"/{number}"))
    publish(app)
    drain()
    make_webhook(app)
    webhooks = list(Webhook.objects.order_by("id"))

    with django_assert_num_queries(1):
        states = health.states(webhooks)

    assert [states[webhook.id] for webhook in webhooks] == [
        State.HEALTHY, State.FAILING, State.DISABLED, State.PAUSED, State.NEW
    ]  # fmt: skip
    assert states == {webhook_id: found.state for webhook_id, found in health.of(webhooks).items()}


def test_many_webhooks_take_three_queries(app, django_assert_num_queries):
    webhooks = [make_webhook(app, f"https://{number}.example/") for number in range(4)]

    with django_assert_num_queries(3):
        found = health.of(webhooks)

    assert set(found) == {webhook.id for webhook in webhooks}
