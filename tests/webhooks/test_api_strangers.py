from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from projects import ids
from tests.factories import make_app, make_project, make_webhook, path
from tests.webhooks.asking import TARGET, of
from webhooks.models import Webhook


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_a_webhook_of_another_project_is_one_that_does_not_exist(app, client, method):
    theirs = make_webhook(make_app(make_project()), "https://theirs.example/")
    call = getattr(client, method)

    stranger = call(path(app.project, f"webhooks/{theirs.id}"), {}, format="json")
    nobody = call(path(app.project, f"webhooks/{(missing := ids.ulid())}"), {}, format="json")

    assert (stranger.status_code, nobody.status_code) == (404, 404)
    assert stranger.content.decode().replace(theirs.id, missing) == nobody.content.decode()
    assert Webhook.objects.filter(pk=theirs.pk, target="https://theirs.example/").exists()


def test_an_id_that_is_none_is_not_found(app, client):
    assert client.get(path(app.project, "webhooks/nonsense")).json()["error"]["status"] == "NOT_FOUND"


def test_an_app_of_another_project_is_one_that_does_not_exist(app, client):
    theirs, missing = make_app(make_project()), ids.ulid()

    stranger = client.get(path(app.project, f"apps/{theirs.id}/webhooks"))
    nobody = client.get(path(app.project, f"apps/{missing}/webhooks"))

    assert (stranger.status_code, nobody.status_code) == (404, 404)
    assert stranger.content.decode().replace(theirs.id, missing) == nobody.content.decode()


def test_an_app_of_another_project_in_the_body_is_one_that_does_not_exist(app, client):
    theirs, missing = make_app(make_project()), ids.ulid()

    stranger, nobody = (
        client.post(path(app.project, "webhooks"), {"app_id": app_id, "target": TARGET}, format="json")
        for app_id in (theirs.id, missing)
    )

    assert (stranger.status_code, nobody.status_code) == (404, 404)
    assert stranger.content.decode().replace(theirs.id, missing) == nobody.content.decode()
    assert not Webhook.objects.exists()


def test_a_key_does_not_open_another_project(app, client):
    webhook = make_webhook(make_app(make_project()))

    answers = [
        client.get(of(webhook)),
        client.patch(of(webhook), {}, format="json"),
        client.delete(of(webhook)),
        client.post(path(webhook.project, "webhooks"), {}, format="json"),
        client.get(path(webhook.project, f"apps/{webhook.app_id}/webhooks")),
    ]

    assert [answer.json()["error"]["status"] for answer in answers] == ["PERMISSION_DENIED"] * 5


def test_without_a_key_nothing_is_told(app):
    assert APIClient().get(path(app.project, f"apps/{app.id}/webhooks")).status_code == 401
