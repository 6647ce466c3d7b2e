"""Changes of a policy that wait: for their day of grace, or for a second person."""

from __future__ import annotations

import pytest
from django.urls import reverse

from projects import clock
from projects.models import Role
from retention.deciding import changing, ruling
from retention.models import ChangeRequest, RetentionPolicy
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


def waiting(client, app):
    factories.make_message(app, accept_time=clock.now() - changing.GRACE * 50)
    save_app(client, app, ttl_days="30", category="DATA_MINIMISATION", text=WHY, confirmed="1")


def test_a_change_that_waits_is_cancelled(client, app):
    waiting(client, app)
    page = client.get(reverse("admin:projects_app_change", args=[app.pk])).content.decode()
    address = reverse("admin:projects_app_retention_cancel", args=[app.pk])

    asked = client.get(address).content.decode()
    client.post(address)
    again = client.post(address, follow=True).content.decode()

    assert "Cancel change" in page
    assert "would take effect in 23" in asked
    assert ruling.newest(app=app).is_default
    assert RetentionPolicy.objects.count() == 2
    assert "in force already" in again


def test_a_viewer_cancels_nothing(client, app):
    waiting(client, app)
    viewer = login(factories.make_user(app.project, Role.VIEWER))

    answer = viewer.post(reverse("admin:projects_app_retention_cancel", args=[app.pk]))

    assert answer.status_code == 403
    assert ruling.newest(app=app).ttl_days == 30


@pytest.fixture
def guarded(app):
    """The app, in a project that demands four eyes."""
    app.project.demands_four_eyes = True
    app.project.save()
    return app


def test_where_four_eyes_are_demanded_a_second_person_decides_on_a_page(client, guarded):
    waiting(client, guarded)
    request = ChangeRequest.objects.get()
    page, approve = (
        reverse(f"admin:retention_changerequest_{view}", args=[request.pk]) for view in ("change", "approve")
    )
    second = login(factories.make_user(guarded.project, Role.COMPLIANCE))

    assert (
        "Waits for a second person"
        in client.get(reverse("admin:projects_app_change", args=[guarded.pk])).content.decode()
    )
    assert "You asked for it yourself" in client.get(page).content.decode()
    assert "Nobody approves their own change" in client.post(approve, follow=True).content.decode()
    assert ruling.newest(app=guarded).is_default

    assert "Approve: it takes effect in 24 hours" in second.get(page).content.decode()
    second.post(approve)

    assert ruling.newest(app=guarded).ttl_days == 30
    assert (
        "approved by" in client.get(reverse("admin:projects_app_change", args=[guarded.pk])).content.decode()
    )


def test_a_request_is_withdrawn_by_who_asked(client, guarded):
    waiting(client, guarded)
    request = ChangeRequest.objects.get()

    client.post(reverse("admin:retention_changerequest_decline", args=[request.pk]))

    request.refresh_from_db()
    assert request.state == "WITHDRAWN"
    assert ruling.newest(app=guarded).is_default


def test_whoever_may_not_set_policies_decides_nothing(client, guarded):
    waiting(client, guarded)
    request = ChangeRequest.objects.get()
    viewer, stranger = login(factories.make_user(guarded.project, Role.VIEWER)), login(factories.make_user())

    for verb in ("approve", "decline"):
        address = reverse(f"admin:retention_changerequest_{verb}", args=[request.pk])
        assert viewer.post(address).status_code == 403
        assert stranger.post(address).status_code == 302

    request.refresh_from_db()
    assert request.state == "OPEN"


def test_the_history_tells_what_was_replaced_and_can_be_exported(client, app):
    waiting(client, app)
    client.post(reverse("admin:projects_app_retention_cancel", args=[app.pk]))
    address = reverse("admin:projects_app_retention_history", args=[app.pk])

    page, export = client.get(address).content.decode(), client.get(address, {"format": "json"}).json()

    assert "Cancelled before it took effect" in page
    assert [(version["number"], version["ttl_days"], version["took_effect"]) for version in export["versions"]] == [
        (2, 180, True), (1, 30, False),
    ]  # fmt: skip
    assert export["versions"][1]["justification"]["text"] == WHY
    assert export["versions"][1]["replaced"] == "messages expire after 180 days"
