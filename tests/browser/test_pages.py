"""The main pages in a browser: nothing that the policy refuses, nothing that shuts a person out."""

from __future__ import annotations

import pytest
from django.urls import reverse

from gateway.channels.base import Channel
from tests import factories
from tests.browser.faces import violations

pytestmark = pytest.mark.browser
PAGES = ("projects.app", "contacts.contact", "conversations.conversation", "conversations.message",
         "conversations.template", "webhooks.webhook",
         "projects.channelcredential", "retention.oweditem", "projects.accesskey")  # fmt: skip


def addresses(world):
    yield reverse("admin:index")
    yield reverse("admin:security")
    for label in PAGES:
        prefix = f"admin:{label.replace('.', '_')}"
        yield reverse(f"{prefix}_changelist")
        yield reverse(f"{prefix}_change", args=[world.rows[label].pk])


def test_the_main_pages_break_no_rule_of_accessibility_or_policy(page, world, complaints):
    broken = {}
    for address in addresses(world):
        page.goto(address)
        assert complaints == [], address  # asked before axe, which styles what it measures
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        broken[address] = violations(page)
        complaints.clear()

    assert not any(broken.values()), broken


def test_no_page_is_wider_than_a_telephone(page, world):
    page.set_viewport_size({"width": 390, "height": 800})

    for address in addresses(world):
        page.goto(address)

        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address


def test_channels_are_reordered_by_keyboard(page, world):
    app = world.rows["projects.app"]
    factories.make_credential(app, Channel.SMS)
    page.goto(reverse("admin:projects_app_change", args=[app.pk]))

    page.get_by_role("button", name="Move SMS up").focus()
    page.keyboard.press("Enter")

    assert page.locator("[data-order-status]").inner_text().startswith("SMS is now number 1 of 2.")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Move SMS up"
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_selector(".messagelist .success")
    assert [one.channel for one in app.credentials.order_by("position")] == ["SMS", "SANDBOX"]


def test_the_first_stop_of_the_keyboard_leads_to_the_content(page):
    page.goto(reverse("admin:projects_app_changelist"))

    page.keyboard.press("Tab")

    assert page.evaluate("document.activeElement.getAttribute('href')") == "#content-start"


def test_a_retention_policy_is_changed_without_javascript(browser, live_server, world):
    context = browser.new_context(java_script_enabled=False, base_url=live_server.url)
    page = context.new_page()
    page.goto("/admin/")
    page.get_by_label("Username").fill("ours-admin")
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Log in").click()

    page.get_by_role("link", name="Apps").first.click()
    page.get_by_role("link", name="ours app").click()
    page.get_by_label("TTL days").fill("90")
    page.get_by_role("button", name="Save", exact=True).click()

    page.wait_for_selector(".errorlist")
