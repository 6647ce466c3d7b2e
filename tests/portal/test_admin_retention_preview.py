"""The preview of the retention panel: what a policy would delete, before anybody sets it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from projects import clock
from projects.models import App, Role
from retention.deciding import changing
from retention.models import RetentionPolicy
from tests import factories
from tests.portal.pages import login, save_app

pytestmark = pytest.mark.django_db
WHY = "The trade law obliges us to keep letters of business for six years."


@pytest.fixture
def app():
    return factories.make_app(display_name="Bakery")


@pytest.fixture
def client(app):
    return login(factories.make_user(app.project, Role.ADMIN))


def look(client, app, **asked):
    return client.get(reverse("admin:projects_app_retention_preview", args=[app.pk]), asked)


def test_a_preview_says_what_would_be_deleted(client, app):
    factories.make_message(app, accept_time=clock.now() - changing.GRACE * 50, channel="SMS")

    page = look(client, app, retention_type="MESSAGE_EXPIRE_POLICY", ttl_days="30").content.decode()

    for said in (
        "Messages accepted before",
        "will be deleted after 24 hours",
        "SMS 1",
        "In 30 days",
        "Newly due",
    ):
        assert said in page


def test_a_preview_counts_by_month_and_says_what_would_be_saved(client, app):
    for days in (190, 260):
        factories.make_message(app, accept_time=clock.now() - timedelta(days=days))

    shorter, longer = (look(client, app, ttl_days=days).content.decode() for days in ("90", "200"))

    assert f"{clock.now() - timedelta(days=260):%B %Y} <b>1</b>" in shorter
    assert "kept by this change" not in shorter
    assert "Due now, kept by this change</dt><dd><b>1</b> message<" in longer


def test_a_preview_of_what_is_no_policy_says_why(client, app):
    assert "TTL days must be 1 to 3650" in look(client, app, ttl_days="99999").content.decode()
    assert "errorlist" in look(client, app, retention_type="FOREVER", ttl_days="30").content.decode()


def test_without_javascript_the_button_shows_the_same_and_saves_nothing(client, app):
    factories.make_message(app, accept_time=clock.now() - changing.GRACE * 50)

    response = save_app(client, app, ttl_days="30", display_name="Renamed", _preview="1")

    page = response.content.decode()
    assert "Newly due by this change" in page
    assert 'class="errornote"' not in page
    assert 'value="30"' in page
    assert not RetentionPolicy.objects.exists()
    assert App.objects.get().display_name == "Bakery"


def test_a_stranger_previews_nothing(app):
    stranger = login(factories.make_user(factories.make_project(), Role.ADMIN))

    assert look(stranger, app, ttl_days="30").status_code == 302


def test_a_number_that_was_seen_is_asked_for_again_when_it_has_moved(client, app):
    old = clock.now() - changing.GRACE * 50
    factories.make_message(app, accept_time=old)
    seen = look(client, app, ttl_days="30").context["seen"]["seal"]
    factories.make_message(app, accept_time=old)
    fields = {"ttl_days": "30", "category": "DATA_MINIMISATION", "text": WHY}

    refused = save_app(client, app, **fields, confirmed="1", previewed=seen)
    forged = save_app(client, app, **fields, confirmed="1", previewed=f"{seen}x")
    of_another_policy = save_app(client, app, **fields | {"ttl_days": "31"}, confirmed="1", previewed=seen)

    assert "the number has moved from 1 to 2" in refused.content.decode()
    assert "1 is not the number" in forged.content.decode()
    assert "1 is not the number" in of_another_policy.content.decode()
    assert not RetentionPolicy.objects.exists()
