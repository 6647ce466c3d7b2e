"""Readiness: only the database can make us unfit; the rest degrades us."""

from datetime import timedelta

import pytest
from django.db import connection

from projects import clock
from webhooks.ageing import partitioning


def test_alive_needs_nothing(client):
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db
def test_ready_with_everything_at_work(client):
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json()["degraded"] == []


@pytest.mark.django_db
def test_a_broker_that_is_down_degrades(client, settings, tmp_path):
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"

    response = client.get("/readyz")

    assert response.status_code == 200
    assert "broker" in response.json()["degraded"]


@pytest.mark.django_db
def test_days_ahead_without_a_partition_degrade(client):
    partitioning.drop(partitioning.EVENTS, older_than=clock.now() + timedelta(days=30))

    assert client.get("/readyz").json() == {"status": "ok", "degraded": ["webhook_partitions"]}


@pytest.mark.django_db
def test_a_migration_that_is_missing_makes_us_unready(client):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'outbox'")

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json() == {"status": "unmigrated"}


@pytest.mark.django_db
def test_a_database_out_of_reach_makes_us_unready_but_not_dead(client, monkeypatch):
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"host": "/nowhere"})
    monkeypatch.setitem(connection.settings_dict, "HOST", "")

    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
