"""The retention panel of an app's page: what it takes, what it refuses, and what it keeps."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.urls import reverse

from projects import clock
from projects.models import App, Role
from retention.deciding import changing, ruling
from retention.models import Justification, OwedItem, RetentionPolicy, Via
from retention.policies import Scope
from tests import factories
from tests.portal.pages import form_of, login, save_app

pytestmark = pytest.mark.django_db
WHY = "The trade law obliges us to keep letters of business for six years."


@pytest.fixture
def app():
    return factories.make_app(display_name="Bakery")


@pytest.fixture
def client(app):
    return login(factories.make_user(app.project, Role.ADMIN))


def test_the_page_offers_the_default(client, app):
    data = form_of(client, reverse("admin:projects_app_change", args=[app.pk]), "app_form")

    assert data["retention_type"] == "MESSAGE_EXPIRE_POLICY"
    assert data["ttl_days"] == "180"


def test_a_deviation_without_a_justification_is_refused_at_the_field_and_keeps_what_was_typed(client, app):
    response = save_app(client, app, ttl_days="365", display_name="Another name", reference="HGB")

    page = response.content.decode()
    assert response.status_code == 200
    assert "A policy other than the default needs a legal justification." in page or "errorlist" in page
    assert response.context["adminform"].form.errors.keys() & {"text", "category"}
    assert 'value="365"' in page
    assert 'value="Another name"' in page
    assert not RetentionPolicy.objects.exists()
    assert App.objects.get().display_name == "Bakery"


def test_a_justified_deviation_is_a_new_version_by_its_author(client, app):
    response = save_app(
        client, app, retention_type="CONVERSATION_EXPIRE_POLICY", ttl_days="2190", category="LEGAL_OBLIGATION",
        reference="§ 257 HGB", text=WHY, review_on="2030-01-01",
    )  # fmt: skip

    assert response.status_code == 302
    version = RetentionPolicy.objects.get()
    assert (version.retention_type, version.ttl_days, version.number) == (
        "CONVERSATION_EXPIRE_POLICY",
        2190,
        1,
    )
    assert version.via == Via.PORTAL
    assert version.author is not None
    assert version.justification.text == WHY
    assert version.justification.review_on == date(2030, 1, 1)


def test_the_history_tells_who_changed_it_and_why(client, app):
    save_app(client, app, ttl_days="30", category="DATA_MINIMISATION", text=WHY)

    page = client.get(reverse("admin:projects_app_change", args=[app.pk])).content.decode()

    assert "Messages expire after 30 days" in page
    assert WHY in page
    assert RetentionPolicy.objects.get().author.username in page


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"ttl_days": "0"}, "ttl_days"),
        ({"ttl_days": "3651"}, "ttl_days"),
        ({"ttl_days": "many"}, "ttl_days"),
        ({"retention_type": "FOREVER"}, "retention_type"),
        ({"text": "too short"}, "text"),
        ({"category": "LEGAL_OBLIGATION", "reference": ""}, None),
        ({"review_on": "tomorrow"}, "review_on"),
    ],
)
def test_what_no_policy_or_ground_may_be_is_refused(client, app, fields, at):
    good = {"ttl_days": "365", "category": "CONTRACT", "reference": "", "text": WHY}

    response = save_app(client, app, **(good | fields))

    errors = response.context["adminform"].form.errors
    assert errors
    assert at is None or at in errors
    assert not RetentionPolicy.objects.exists()


def test_saving_the_page_without_a_change_of_policy_makes_no_version(client, app):
    response = save_app(client, app, display_name="Renamed")

    assert response.status_code == 302
    assert App.objects.get().display_name == "Renamed"
    assert not RetentionPolicy.objects.exists()


def test_going_back_to_the_default_needs_no_justification(client, app):
    save_app(client, app, ttl_days="365", category="CONTRACT", text=WHY)

    response = save_app(client, app, ttl_days="180")

    assert response.status_code == 302
    assert ruling.newest(app=app).is_default


def test_what_is_owed_is_supplied_on_the_page(client, app):
    changing.change(
        app=app,
        retention_type="PERSIST_RETENTION_POLICY",
        ttl_days=180,
        via=Via.API,
        author_key=factories.KEY,
        now=clock.now(),
    )
    assert (
        "Justification owed since"
        in client.get(reverse("admin:projects_app_change", args=[app.pk])).content.decode()
    )

    save_app(client, app, category="CONTRACT", text=WHY)

    assert OwedItem.objects.get().state == OwedItem.State.SUPPLIED
    assert RetentionPolicy.objects.count() == 1
    assert Justification.objects.get().given_via == Via.PORTAL


def test_the_list_of_owed_items_names_the_app(client, app):
    changing.change(
        app=app,
        retention_type="PERSIST_RETENTION_POLICY",
        ttl_days=180,
        via=Via.API,
        author_key=factories.KEY,
        now=clock.now(),
    )

    page = client.get(reverse("admin:retention_oweditem_changelist")).content.decode()

    assert "Justification owed" in page
    assert "Bakery" in page


def test_compliance_sets_the_policy_and_nothing_else(app):
    client = login(factories.make_user(app.project, Role.COMPLIANCE))

    response = save_app(client, app, ttl_days="365", category="CONTRACT", text=WHY, display_name="Renamed")

    assert response.status_code == 302
    assert ruling.newest(app=app).ttl_days == 365
    assert App.objects.get().display_name == "Bakery"


def test_a_viewer_reads_the_policy(app):
    client = login(factories.make_user(app.project, Role.VIEWER))
    address = reverse("admin:projects_app_change", args=[app.pk])

    page = client.get(address).content.decode()

    assert "messages expire after 180 days" in page
    assert 'name="ttl_days"' not in page
    assert client.post(address, {"ttl_days": "1"}).status_code == 403


def test_messages_that_become_due_are_counted_and_wait_a_day(client, app):
    factories.make_message(app, accept_time=clock.now() - changing.GRACE * 50)

    response = save_app(client, app, ttl_days="30", category="DATA_MINIMISATION", text=WHY, confirmed="1")

    said = [str(message) for message in client.get(response["Location"]).context["messages"]]
    assert any("1 messages are due" in message for message in said)
    assert RetentionPolicy.objects.get().effective_at > clock.now()


@pytest.mark.parametrize(
    ("typed", "said"), [("", "Type the number 1"), ("7", "7 is not the number"), ("x", "whole number")]
)
def test_without_the_right_number_a_destructive_change_is_refused_and_shown(client, app, typed, said):
    factories.make_message(app, accept_time=clock.now() - changing.GRACE * 50)

    response = save_app(client, app, ttl_days="30", category="DATA_MINIMISATION", text=WHY, confirmed=typed)

    page = response.content.decode()
    assert said in page
    assert "Newly due by this change" in page
    assert not RetentionPolicy.objects.exists()


def test_dispatched_messages_have_a_policy_of_their_own(client, app):
    address = reverse("admin:projects_app_retention_dispatch", args=[app.pk])

    refused = client.post(address, {"ttl_days": "8", "category": "CONTRACT", "text": WHY}).content.decode()
    unjustified = client.post(address, {"ttl_days": "7"}).content.decode()
    response = client.post(address, {"ttl_days": "7", "category": "CONTRACT", "text": WHY})

    assert "TTL days must be 0 to 7" in refused
    assert "needs a legal justification" in unjustified
    assert response.status_code == 302
    assert ruling.newest(app=app, scope=Scope.DISPATCH).ttl_days == 7
    assert ruling.newest(app=app).is_default


def test_a_ground_given_anew_on_the_day_of_its_review_is_a_version_of_the_same_policy(client, app):
    ground = changing.Ground("CONTRACT", "", WHY, date(2026, 3, 1))
    changing.change(
        app=app, retention_type="MESSAGE_EXPIRE_POLICY", ttl_days=365, via=Via.API,
        author_key=factories.KEY, ground=ground,
        now=datetime(2026, 2, 1, tzinfo=UTC),
    )  # fmt: skip

    save_app(client, app, category="CONTRACT", text=f"Looked at again. {WHY}", review_on="2099-01-01")
    save_app(client, app, category="CONTRACT", text=f"And once more. {WHY}")

    newest, oldest = RetentionPolicy.objects.order_by("-number")
    assert (newest.ttl_days, oldest.ttl_days) == (365, 365)
    assert newest.justification.text.startswith("Looked at again.")
