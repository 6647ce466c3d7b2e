"""Deliveries, replays and test events over the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from outbox.draining import drain
from projects import clock, ids
from projects.requests.wire import timestamp
from tests.factories import make_app, make_replay, make_webhook
from tests.webhooks.asking import of, violations
from tests.webhooks.delivering import publish
from tests.webhooks.test_replaying import bury, make_event
from webhooks.models import Attempt, Event, Replay
from webhooks.triggers import Trigger

HOUR = timedelta(hours=1)


def get(client, webhook, rest, **query) -> Any:
    return client.get(f"{of(webhook)}{rest}", query).json()


def post(client, webhook, rest, **body) -> Any:
    return client.post(f"{of(webhook)}{rest}", body, format="json")


def try_(webhook, event, *, ago=HOUR, **fields) -> Attempt:
    return Attempt.objects.create(
        **(
            {
                "app": event.app, "accept_time": event.accept_time, "event_id": event.id, "webhook": webhook,
                "number": 1, "result": "DELIVERED", "status_code": 200, "started_at": clock.now() - ago,
            }
            | fields
        )
    )  # fmt: skip


def since(hours: float) -> str:
    return timestamp(clock.now() - hours * HOUR)


def test_each_delivery_is_listed_once_by_its_newest_try(app, client):
    webhook, event, older = make_webhook(app), make_event(app), make_event(app, Trigger.OPT_IN)
    try_(webhook, older, ago=3 * HOUR)
    try_(webhook, event, ago=2 * HOUR, result="RETRYING", status_code=500)
    try_(webhook, event, number=2)

    listed = get(client, webhook, "/deliveries")["deliveries"]

    assert [(one["event_id"], one["trigger"], one["number"], one["result"]) for one in listed] == [
        (event.id, "MESSAGE_INBOUND", 2, "DELIVERED"),
        (older.id, "OPT_IN", 1, "DELIVERED"),
    ]


@pytest.mark.parametrize(
    "wanted",
    [
        {"trigger": "OPT_IN"},
        {"result": "GIVEN_UP"},
        {"status_class": "4xx"},
        {"start_time": "2", "end_time": "0"},
    ],
)
def test_deliveries_are_filtered(app, client, wanted):
    webhook = make_webhook(app)
    try_(webhook, make_event(app), ago=5 * HOUR)
    event = make_event(app, Trigger.OPT_IN)
    try_(webhook, event, result="GIVEN_UP", status_code=404)

    query = {name: since(float(value)) if name.endswith("time") else value for name, value in wanted.items()}
    listed = get(client, webhook, "/deliveries", **query)["deliveries"]

    assert [one["event_id"] for one in listed] == [event.id]


def test_a_try_without_an_answer_is_found_as_such(app, client):
    webhook, event = make_webhook(app), make_event(app)
    try_(webhook, make_event(app))
    try_(webhook, event, result="RETRYING", status_code=None, error="timeout")

    (one,) = get(client, webhook, "/deliveries", status_class="none")["deliveries"]

    assert (one["event_id"], one["error"], one["status_code"]) == (event.id, "timeout", None)


def test_deliveries_come_in_pages(app, client):
    webhook = make_webhook(app)
    events = [make_event(app) for _ in range(5)]
    for event in events:
        try_(webhook, event, ago=HOUR)

    first = get(client, webhook, "/deliveries", page_size=3)
    second = get(client, webhook, "/deliveries", page_size=3, page_token=first["next_page_token"])

    assert second["next_page_token"] == ""
    assert sorted(one["event_id"] for one in first["deliveries"] + second["deliveries"]) == sorted(
        event.id for event in events
    )


@pytest.mark.parametrize("number", [1, 6])
@pytest.mark.parametrize("query", [{}, {"result": "WAITING"}])
def test_a_list_asks_as_many_questions_whatever_its_length(
    app, client, number, query, django_assert_num_queries
):
    webhook = make_webhook(app)
    for _ in range(number):
        try_(webhook, make_event(app))
        publish(app)
    client.get(of(webhook))

    with django_assert_num_queries(3):
        listed = get(client, webhook, "/deliveries", **query)["deliveries"]

    assert len(listed) == number


def test_what_waits_is_listed_in_turn(app, client):
    webhook = make_webhook(app)
    publish(app)

    (one,) = get(client, webhook, "/deliveries", result="WAITING")["deliveries"]

    assert (one["result"], one["attempts"], one["trigger"]) == ("WAITING", 0, "MESSAGE_DELIVERY")


def test_a_delivery_is_shown_with_its_body_and_every_try(app, client, hook):
    webhook = make_webhook(app, hook(500))
    publish(app)
    drain()
    event_id = Attempt.objects.get().event_id

    shown = get(client, webhook, f"/deliveries/{event_id}")

    assert shown["trigger"] == "MESSAGE_DELIVERY"
    assert shown["body"]["message_delivery_report"]["status"] == "DELIVERED"
    assert [(one["result"], one["status_code"]) for one in shown["attempts"]] == [("RETRYING", 500)]
    assert shown["waiting"]["attempts"] == 1
    assert shown["dead_letter"] is None


def test_the_body_of_a_purged_event_is_null(app, client):
    webhook, event = make_webhook(app), make_event(app)
    try_(webhook, event)
    bury(webhook, event)
    Event.objects.filter(pk=event.pk).delete()

    shown = get(client, webhook, f"/deliveries/{event.id}")

    assert (shown["trigger"], shown["body"]) == ("", None)
    assert shown["dead_letter"]["reason"] == "HTTP 500"


def test_an_event_of_another_app_is_no_delivery_and_is_not_replayed(app, client):
    webhook, foreign = make_webhook(app), make_event(make_app(app.project))

    assert client.get(f"{of(webhook)}/deliveries/{foreign.id}").status_code == 404
    assert post(client, webhook, f"/deliveries/{foreign.id}:replay").status_code == 404


def test_one_delivery_is_replayed(app, client, hook):
    webhook, event = make_webhook(app, hook()), make_event(app)

    job = post(client, webhook, f"/deliveries/{event.id}:replay").json()
    drain()

    shown = get(client, webhook, f"/replays/{job['id']}")
    assert (job["count"], job["done"], job["event_id"]) == (1, 0, event.id)
    assert shown["done"] == 1
    (one,) = get(client, webhook, "/deliveries", replay_id=job["id"])["deliveries"]
    assert (one["event_id"], one["result"]) == (event.id, "DELIVERED")


def test_a_span_is_counted_first_and_then_replayed(app, client, hook):
    webhook = make_webhook(app, hook())
    for _ in range(3):
        make_event(app)

    counted = post(client, webhook, "/deliveries:replay", start_time=since(2), dry_run=True).json()
    assert not Replay.objects.exists()
    job = post(client, webhook, "/deliveries:replay", start_time=since(2), per_second=50).json()

    assert counted == {"count": 3}
    assert (job["state"], job["count"], job["done"], job["per_second"]) == ("RUNNING", 3, 0, 50)
    assert [one["id"] for one in get(client, webhook, "/replays")["replays"]] == [job["id"]]


def test_a_replay_is_cancelled(app, client, hook, httpserver):
    webhook = make_webhook(app, hook())
    make_event(app)
    job = post(client, webhook, "/deliveries:replay", start_time=since(2)).json()

    cancelled = post(client, webhook, f"/replays/{job['id']}:cancel").json()
    drain()

    assert cancelled["state"] == "CANCELLED"
    assert not httpserver.log


def test_a_replay_of_another_webhook_is_one_that_does_not_exist(app, client):
    ours, other = make_webhook(app), make_webhook(app, "https://other.example/")
    replay = make_replay(other)

    assert client.get(f"{of(ours)}/replays/{replay.id}").status_code == 404
    assert post(client, ours, f"/replays/{replay.id}:cancel").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "start_time"),
        ({"start_time": "yesterday"}, "start_time"),
        ({"start_time": "2026-01-01T00:00:00Z", "trigger": "NONE"}, "trigger"),
        ({"start_time": "2026-01-01T00:00:00Z", "per_second": 101}, "per_second"),
        ({"start_time": "2026-01-01T00:00:00Z", "only_failed": "yes"}, "only_failed"),
    ],
)
def test_a_replay_that_makes_no_sense_is_refused(app, client, body, field):
    assert field in violations(post(client, make_webhook(app), "/deliveries:replay", **body))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"result": "LOST"}, "result"),
        ({"event_id": "nonsense"}, "event_id"),
        ({"status_class": "9xx"}, "status_class"),
        ({"result": "WAITING", "trigger": "OPT_IN"}, "trigger"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(app, client, query, field):
    assert field in violations(client.get(f"{of(make_webhook(app))}/deliveries", query))


def test_a_webhook_is_enabled_again(app, client):
    webhook = make_webhook(app, disabled_at=clock.now(), disabled_reason="HTTP 410")

    answer = post(client, webhook, ":enable")

    webhook.refresh_from_db()
    assert (answer.json()["id"], webhook.disabled_at) == (webhook.id, None)


def test_a_test_event_tells_what_was_sent_and_what_came_back(app, client, hook):
    webhook = make_webhook(app, hook(503))

    told = post(client, webhook, ":test", trigger="MESSAGE_INBOUND").json()

    assert (told["delivered"], told["response"]["status_code"]) == (False, 503)
    assert told["request"]["body"]["message"]["direction"] == "TO_APP"
    assert all(signature["valid"] for signature in told["signatures"])
    assert webhook.secret not in str(told)


def test_a_test_event_of_an_unknown_trigger_is_refused(app, client):
    webhook = make_webhook(app)

    assert "trigger" in violations(post(client, webhook, ":test"))
    assert "trigger" in violations(post(client, webhook, ":test", trigger="RECORD_NOTIFICATION"))


def test_what_is_no_id_is_not_found(app, client):
    webhook = make_webhook(app)

    for rest in ("/deliveries/nonsense", f"/deliveries/{ids.ulid()}", "/replays/nonsense"):
        assert client.get(of(webhook) + rest).status_code == 404
