"""The pages of a webhook in a browser."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.browser.faces import violations
from tests.factories import make_replay

pytestmark = pytest.mark.browser


@pytest.fixture
def addresses(world):
    webhook, event = world.rows["webhooks.webhook"], world.rows["webhooks.event"]
    replay = make_replay(webhook)
    names = ("log", "replay", "test", "verify", "secret")
    return [
        *(reverse(f"admin:webhooks_webhook_{name}", args=[webhook.pk]) for name in names),
        reverse("admin:webhooks_webhook_delivery", args=[webhook.pk, event.pk]),
        reverse("admin:webhooks_webhook_progress", args=[webhook.pk, replay.pk]),
    ]


def test_its_pages_break_no_rule_of_accessibility_or_policy_and_fit_a_telephone(addresses, page, complaints):
    page.set_viewport_size({"width": 390, "height": 800})
    broken = {}

    for address in addresses:
        page.goto(address)
        assert complaints == [], address  # asked before axe, which styles what it measures
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
        broken[address] = violations(page)
        complaints.clear()

    assert not any(broken.values()), broken
