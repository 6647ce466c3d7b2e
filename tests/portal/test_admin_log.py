"""The delivery log in the portal: it outlives the webhook that it is about."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.portal.pages import login, make_world
from webhooks import subscribing

pytestmark = pytest.mark.django_db


def test_the_log_of_a_removed_webhook_is_listed_and_shown():
    world = make_world("ours")
    attempt = world.rows["webhooks.attempt"]
    client = login(world.rows["projects.user"])

    subscribing.remove(world.rows["webhooks.webhook"])

    listed = client.get(reverse("admin:webhooks_attempt_changelist")).content.decode()
    shown = client.get(reverse("admin:webhooks_attempt_change", args=[attempt.pk])).content.decode()
    assert "a removed webhook" in listed
    assert "a removed webhook" in shown
