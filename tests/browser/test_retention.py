"""A person changes how long an app keeps its messages."""

from __future__ import annotations

import pytest
from django.urls import reverse

from retention import ruling
from retention.models import RetentionPolicy
from tests.browser.conftest import keep

pytestmark = pytest.mark.browser
WHY = "Complaints about deliveries are possible for one year after the contract ended."


@pytest.fixture
def app(world):
    return world.rows["projects.app"]


@pytest.fixture
def versions(app) -> int:
    return RetentionPolicy.objects.filter(app=app).count()


def test_a_change_without_a_justification_is_refused_where_it_was_made(
    page, app, versions, complaints, scheme
):
    page.goto(reverse("admin:projects_app_change", args=[app.pk]))
    page.get_by_label("TTL days").fill("365")
    page.get_by_role("button", name="Save", exact=True).click()

    page.wait_for_selector(".ground .errorlist")
    assert page.get_by_label("TTL days").input_value() == "365"
    assert RetentionPolicy.objects.filter(app=app).count() == versions
    keep(page, f"retention-refused-{scheme}")
    assert complaints == []


def test_a_justified_change_is_kept_with_its_author(page, app, complaints, scheme):
    page.goto(reverse("admin:projects_app_change", args=[app.pk]))
    page.get_by_label("TTL days").fill("365")
    page.get_by_label("Category").select_option("CONTRACT")
    page.get_by_label("Justification", exact=False).first.fill(WHY)
    page.get_by_role("button", name="Save and continue editing").click()

    page.wait_for_selector(f"text={WHY}")
    keep(page, f"retention-justified-{scheme}")
    policy = ruling.newest(app=app)
    assert policy.ttl_days == 365
    assert RetentionPolicy.objects.get(pk=policy.version_id).author.username == "ours-admin"
    assert complaints == []
