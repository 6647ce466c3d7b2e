"""`/metrics`, as Prometheus reads it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from projects import clock, ids
from retention import holding, measuring, purging
from retention.deciding import changing
from retention.models import HoldScope, PrivacyRequest, Via
from retention.policies import PolicyType
from retention.privacy import requests
from retention.tending import checking, surveying
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


def test_what_is_due_and_what_was_deleted_is_told(client):
    app, now = factories.make_app(), clock.now()
    for days in (400, 300, 200, 179.5):
        factories.make_message(app, accept_time=now - timedelta(days=days))
    surveying.survey(now=now)
    before = figures(client)

    purging.run(now=now)
    surveying.survey(now=now)

    told = figures(client)
    assert [before[name] for name in ("retention_due_rows", "retention_due_tomorrow_rows")] == [3, 1]
    assert [told[name] for name in ("retention_due_rows", "retention_due_tomorrow_rows")] == [0, 1]
    assert told["purge_rows_total"] == before["purge_rows_total"] + 3
    assert told["purge_batch_seconds_count"] > before["purge_batch_seconds_count"]
    assert told["purge_batch_seconds_bucket 10.0"] <= told["purge_batch_seconds_bucket +Inf"]
    assert {f"purge_brakes_total {brake}" for brake in ("slow", "failing", "replica", "clock")} <= told.keys()


def test_what_people_have_to_do_about_retention_is_told(client):
    app, now = factories.make_app(), clock.now()
    factories.make_message(app, accept_time=now - timedelta(days=999))
    changing.change(app=app, retention_type=PolicyType.MESSAGE_EXPIRE_POLICY, ttl_days=30, via=Via.API,
                    author_key=factories.KEY, ground=None, now=now - timedelta(days=15))  # fmt: skip
    holding.place(project=app.project, scope=HoldScope.APP, app=app, matter="Case 7", now=now)
    contact = factories.make_contact(app.project)
    requests.receive(
        contact, kind=PrivacyRequest.Kind.ERASURE, identity_check="a code", now=now - timedelta(days=25)
    )
    surveying.survey(now=now)

    told = figures(client)

    names = ("holds", "held_rows", "justifications_owed", "justifications_overdue", "erasures_due_soon")
    assert [told[f"retention_{name}"] for name in names] == [1, 1, 1, 1, 1]
    assert told["retention_lag_seconds"] == 0


def test_how_the_ledger_and_its_tables_do_is_told(client):
    assert "ledger_verified_age_seconds" not in figures(client)

    checking.check_now()

    told = figures(client)
    assert told["ledger_faults"] == 0
    assert 0 <= told["ledger_verified_age_seconds"] < 60
    assert 0 <= told["retention_dead_rows_ratio conversations_message"] <= 1


def test_apps_are_named_where_a_setting_allows_it(client, settings):
    app = factories.make_app()
    factories.make_message(app, accept_time=clock.now() - timedelta(days=183))

    assert not any(app.pk in name for name in figures(client))
    settings.METRICS_NAME_APPS = True

    assert figures(client)[f"retention_app_lag_seconds {app.pk}"] == pytest.approx(3 * 86_400, abs=60)


def test_more_apps_take_no_more_statements(client, monkeypatch):
    monkeypatch.setattr(measuring, "GLANCED_AT", 1)
    now = clock.now()

    def statements(more):
        for app in [factories.make_app() for _ in range(more)]:
            message = factories.make_message(app, accept_time=now - timedelta(days=200))
            holding.place(project=app.project, scope=HoldScope.CONVERSATION, now=now, matter="Case 7",
                          conversation_id=message.conversation_id)  # fmt: skip
            factories.make_message(app, accept_time=now - timedelta(days=183))
            factories.make_message(factories.make_app(), accept_time=now - timedelta(days=182))
        surveying.survey(now=now)
        with CaptureQueriesContext(connection) as asked:
            assert figures(client)["retention_lag_seconds"] == pytest.approx(3 * 86_400, abs=60)
        return len(asked)

    few, many = statements(more=2), statements(more=1)

    assert few == many


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
