"""`/metrics`, as Prometheus reads it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from prometheus_client.parser import text_string_to_metric_families

from projects import clock, ids
from tests import factories
from tests.portal.pages import make_world
from webhooks import publishing
from webhooks.ageing import partitioning
from webhooks.models import Attempt, DeadLetter
from webhooks.publishing import About
from webhooks.triggers import Trigger

pytestmark = pytest.mark.django_db


def figures(client):
    """By name, with the values of its labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        " ".join([sample.name, *(sample.labels[label] for label in sorted(sample.labels))]): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_webhooks_are_told_by_state_and_dead_letters_are_counted(client):
    app, now = factories.make_app(), clock.now()
    webhook = factories.make_webhook(app)
    factories.make_webhook(app, "https://off.example/", disabled_at=now)
    factories.make_webhook(app, "https://none.example/", target_type="DISMISS")
    DeadLetter.objects.create(
        app=app,
        accept_time=now,
        event_id=webhook.pk,
        webhook=webhook,
        reason="HTTP 500",
        attempts=1,
        died_at=now,
    )
    factories.make_replay(webhook)

    told = figures(client)

    assert [told[f"webhooks {state}"] for state in ("called", "disabled", "dismissing")] == [1, 1, 1]
    assert (told["webhook_dead_letters"], told["webhook_replays_running"]) == (1, 1)


def test_events_are_counted_by_the_day_whose_table_has_them(client):
    partitioning.prepare(now=clock.now())

    told = figures(client)

    assert told[f"webhook_events_total {clock.now():%Y%m%d}"] >= 0


def test_how_long_events_take_to_their_receivers_is_told_where_there_were_any(client):
    webhook, now = factories.make_webhook(factories.make_app()), clock.now()
    before = figures(client)
    for number, (took_ms, result) in enumerate([(100, "DELIVERED"), (900, "DELIVERED"), (5000, "RETRYING")]):
        made_at = round(now.timestamp() * 1000) - took_ms
        Attempt.objects.create(
            app=webhook.app, accept_time=now, webhook=webhook, number=1, result=result, duration_ms=50,
            started_at=now - timedelta(milliseconds=50),
            event_id=ids.from_uuid(UUID(int=(made_at << 80) + number)),
        )  # fmt: skip

    told = figures(client)

    assert "webhook_delivery_seconds 0.5" not in before
    assert told["webhook_delivery_seconds 0.5"] == pytest.approx(0.1, abs=0.002)
    assert told["webhook_delivery_seconds 0.99"] == pytest.approx(0.9, abs=0.002)


def test_what_waits_and_for_how_long_there_is_room_is_told(client):
    app, now = factories.make_app(), clock.now()
    factories.make_webhook(app)
    about = About(accepted_time=now, event_time=now)
    publishing.publish(app=app, trigger=Trigger.OPT_IN, payload={}, about=about)
    partitioning.prepare(now=now)

    told = figures(client)

    assert told["webhook_partition_days_ahead"] == partitioning.AHEAD
    assert "outbox_oldest_due_seconds" in told
    assert told["outbox_lanes closed"] >= 1


def test_the_lag_of_retention_is_that_of_the_latest_app(client):
    app = factories.make_app()
    factories.make_message(app, accept_time=clock.now() - timedelta(days=183))
    factories.make_message(factories.make_app(), accept_time=clock.now() - timedelta(days=181))

    assert figures(client)["retention_lag_seconds"] == pytest.approx(3 * 86_400, abs=60)


def test_requests_are_counted_by_door_and_status(client):
    before = figures(client).get("http_requests_total api GET 401", 0)
    client.get("/v1/projects/somebody/apps")
    client.get("/v1/projects/somebody/apps/another")

    after = figures(client)

    assert after["http_requests_total api GET 401"] == before + 2
    assert after["http_request_seconds_total api GET"] > 0


def test_without_redis_the_tables_still_tell(client, settings, tmp_path):
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"

    assert "webhook_dead_letters" in figures(client)


def test_nobody_is_named(client):
    world = make_world("ours")

    told = client.get("/metrics").content.decode()

    assert "ours" not in told
    for row in world.rows.values():
        assert str(row.pk) not in told or str(row.pk).isdecimal()
