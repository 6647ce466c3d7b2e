"""A person changes how long an app keeps its messages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from projects import clock
from retention.deciding import changing, ruling
from retention.models import RetentionPolicy, Via
from tests import factories
from tests.browser.conftest import log_in
from tests.browser.faces import keep, violations

pytestmark = pytest.mark.browser
WHY = "Complaints about deliveries are possible for one year after the contract ended."


@pytest.fixture
def app(world):
    return world.rows["projects.app"]


@pytest.fixture
def versions(app) -> int:
    return RetentionPolicy.objects.filter(app=app).count()


def test_a_change_without_a_justification_is_refused_where_it_was_made(page, app, versions, complaints):
    page.goto(reverse("admin:projects_app_change", args=[app.pk]))
    page.get_by_label("TTL days").fill("365")
    page.get_by_role("button", name="Save", exact=True).click()

    page.wait_for_selector(".ground .errorlist")
    assert page.get_by_label("TTL days").input_value() == "365"
    assert RetentionPolicy.objects.filter(app=app).count() == versions
    keep(page, "retention-refused")
    assert complaints == []


def test_a_justified_change_is_kept_with_its_author(page, app, complaints):
    page.goto(reverse("admin:projects_app_change", args=[app.pk]))
    page.get_by_label("TTL days").fill("365")
    page.get_by_label("Category").select_option("CONTRACT")
    page.get_by_label("Justification", exact=False).first.fill(WHY)
    page.get_by_role("button", name="Save and continue editing").click()

    page.wait_for_selector(f"text={WHY}")
    keep(page, "retention-justified")
    policy = ruling.newest(app=app)
    assert policy.ttl_days == 365
    assert RetentionPolicy.objects.get(pk=policy.version_id).author.username == "ours-admin"
    assert complaints == []


def test_what_a_policy_would_delete_is_shown_while_it_is_chosen_and_confirmed_by_its_number(
    page, app, complaints
):
    for days in (10, 20, 25):
        factories.make_message(app, accept_time=clock.now() - timedelta(days=days))
    page.goto(reverse("admin:projects_app_change", args=[app.pk]))
    page.wait_for_selector(".seen")
    page.get_by_label("TTL days").fill("15")
    page.wait_for_selector("#id_confirmed")
    preview = page.locator("[data-preview]").inner_text()
    keep(page, "retention-preview")
    assert complaints == []
    assert violations(page) == []
    complaints.clear()

    page.get_by_label("Category").select_option("DATA_MINIMISATION")
    page.get_by_label("Justification", exact=False).first.fill(WHY)
    page.get_by_label("Type the number").fill("2")
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_role("link", name="Cancel change").click()
    page.get_by_role("button", name="Cancel the change").click()

    page.wait_for_selector("text=The change is cancelled")
    assert "Newly due by this change\n2" in preview
    assert page.locator("[data-preview]").get_attribute("role") == "status"
    assert ruling.newest(app=app).ttl_days == 30
    assert complaints == []


def compliance_pages(world, app):
    yield reverse("admin:inbox")
    yield reverse("admin:projects_app_retention_history", args=[app.pk])
    yield reverse("admin:projects_app_retention_dispatch", args=[app.pk])
    yield reverse("admin:retention_oweditem_settle", args=[world.rows["retention.oweditem"].pk])
    yield reverse("admin:retention_changerequest_change", args=[world.rows["retention.changerequest"].pk])


def test_compliances_pages_break_no_rule_and_fit_a_telephone(page, world, app, complaints):
    other = factories.make_app(app.project)
    changing.change(
        app=other,
        retention_type="PERSIST_RETENTION_POLICY",
        ttl_days=180,
        via=Via.API,
        author_key=factories.KEY,
        now=clock.now(),
    )
    page.set_viewport_size({"width": 390, "height": 800})

    for address in compliance_pages(world, app):
        page.goto(address)

        assert complaints == [], address  # asked before axe, which styles what it measures
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
        assert violations(page) == [], address
        complaints.clear()


def test_a_ground_is_asked_for_where_the_policy_is_not_the_default(page, app):
    page.goto(reverse("admin:projects_app_change", args=[app.pk]))

    shown = []
    for preset in ("365", "180"):
        page.locator(f"[data-days='{preset}']").click()
        shown.append(page.get_by_label("Category").is_visible())

    assert shown == [True, False]
    assert page.get_by_label("TTL days").input_value() == "180"


def test_without_javascript_a_button_shows_the_same_preview(browser, live_server, app):
    factories.make_message(app, accept_time=clock.now() - timedelta(days=20))
    page = browser.new_context(java_script_enabled=False, base_url=live_server.url).new_page()
    log_in(page, "ours-admin")
    page.goto(reverse("admin:projects_app_change", args=[app.pk]))
    page.get_by_label("TTL days").fill("15")
    page.get_by_role("button", name="Preview").click()

    page.wait_for_selector(".seen")
    assert page.get_by_label("Type the number").is_visible()
    assert page.get_by_label("TTL days").input_value() == "15"
    assert ruling.newest(app=app).ttl_days == 30
