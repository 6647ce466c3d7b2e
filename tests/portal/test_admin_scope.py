"""Members see their projects, and nothing in the portal tells them of another."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.urls import reverse

from projects.models import Account, Role
from tests import factories
from tests.portal.pages import list_addresses, login, make_world, missing_pk, row_addresses

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours():
    return make_world("ours")


@pytest.fixture
def theirs():
    return make_world("theirs")


def test_every_page_is_tried_here(ours):
    assert {model._meta.label_lower for model in admin.site._registry} == set(ours.rows)


@pytest.mark.parametrize("role", Role.values)
def test_no_list_or_blank_form_names_another_project(ours, theirs, role):
    client = login(factories.make_user(ours.project, role))

    for address in [reverse("admin:index"), *list_addresses()]:
        response = client.get(address)

        assert response.status_code in (200, 403), address
        assert "theirs" not in response.content.decode(), address


@pytest.mark.parametrize("role", Role.values)
def test_every_page_of_an_own_row_opens_or_is_forbidden(ours, theirs, role):
    client = login(factories.make_user(ours.project, role))

    for label, row in ours.rows.items():
        for address in row_addresses(label, row.pk):
            response = client.get(address)

            assert response.status_code in (200, 403), address
            assert "theirs" not in response.content.decode(), address
        assert (
            client.get(reverse(f"admin:{label.replace('.', '_')}_change", args=[row.pk])).status_code == 200
        )


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_row_of_another_project_is_answered_as_one_that_does_not_exist(ours, theirs, method):
    client = login(factories.make_user(ours.project, Role.ADMIN))

    for label, row in theirs.rows.items():
        missing = missing_pk(row)
        pairs = zip(row_addresses(label, row.pk), row_addresses(label, missing), strict=True)
        for foreign, nowhere in pairs:
            answers = [
                _answer(client, method, address, str(pk))
                for address, pk in ((foreign, row.pk), (nowhere, missing))
            ]

            assert answers[0] == answers[1], foreign
            assert answers[0][0] in (302, 403), foreign


def _answer(client, method, address, pk):
    """Status, place and message of an answer, whatever the id in it."""
    response = getattr(client, method)(address)
    said = [
        str(message).replace(pk, "ID")
        for message in client.get(reverse("admin:password_change")).context["messages"]
    ]
    return response.status_code, response.get("Location"), said


def test_a_stranger_is_sent_to_the_login(ours, client):
    for label, row in ours.rows.items():
        for address in [*list_addresses(), *row_addresses(label, row.pk)]:
            assert client.get(address)["Location"].startswith(reverse("admin:login")), address


def test_a_person_without_a_membership_finds_everything_empty(ours):
    client = login(factories.make_user())

    for address in [reverse("admin:index"), *list_addresses()]:
        response = client.get(address)

        assert response.status_code in (200, 403), address
        assert not re.search(r"\bours\b", response.content.decode()), address


def test_whoever_runs_the_installation_sees_all(ours, theirs):
    client = login(factories.make_user(is_superuser=True))

    page = client.get(reverse("admin:projects_app_changelist")).content.decode()

    assert "ours app" in page
    assert "theirs app" in page


def test_a_role_reaches_no_further_than_its_project(ours, theirs):
    user = factories.make_user(ours.project, Role.ADMIN)
    user.memberships.create(project=theirs.project, role=Role.VIEWER)
    client = login(user)

    form = client.get(reverse("admin:projects_app_add")).content.decode()
    page = client.get(
        reverse("admin:projects_app_change", args=[theirs.rows["projects.app"].pk])
    ).content.decode()

    assert "ours project" in form
    assert "theirs project" not in form
    assert 'name="display_name"' not in page
    assert 'name="retention_type"' not in page


def test_an_app_of_another_project_is_refused_at_the_field(ours, theirs):
    client = login(factories.make_user(ours.project, Role.ADMIN))

    response = client.post(
        reverse("admin:webhooks_webhook_add"),
        {"app": theirs.rows["projects.app"].pk, "target": "https://example.com/", "target_type": "HTTP"},
    )

    assert "Select a valid choice" in str(response.context["adminform"].form.errors["app"])


def test_a_filter_by_a_foreign_id_finds_as_little_as_one_by_a_missing_id(ours, theirs):
    client = login(factories.make_user(ours.project, Role.VIEWER))
    lists = reverse("admin:conversations_message_changelist")

    for app_id in (theirs.rows["projects.app"].pk, missing_pk(theirs.rows["projects.app"])):
        page = client.get(lists, {"app__id__exact": app_id})

        assert page.context["cl"].result_count == 0


@pytest.mark.parametrize(
    ("role", "changes"),
    [
        (Role.ADMIN, {"app", "contact", "membership", "accesskey", "webhook"}),
        (Role.OPERATOR, {"app", "contact", "webhook"}),
        (Role.COMPLIANCE, {"app"}),
        (Role.VIEWER, set()),
    ],
)
def test_a_role_may_change_what_it_is_for(ours, role, changes):
    client = login(factories.make_user(ours.project, role))
    tried = [
        "projects.app",
        "contacts.contact",
        "projects.membership",
        "projects.accesskey",
        "webhooks.webhook",
    ]

    may = set()
    for label in tried:
        page = client.get(reverse(f"admin:{label.replace('.', '_')}_change", args=[ours.rows[label].pk]))
        if page.context["has_change_permission"]:
            may.add(label.rpartition(".")[2])

    assert may == changes


def test_rows_that_are_history_are_changed_by_nobody(ours):
    client = login(factories.make_user(is_superuser=True))

    for label in (
        "conversations.message",
        "webhooks.event",
        "retention.retentionpolicy",
        "retention.justification",
    ):
        prefix = f"admin:{label.replace('.', '_')}"

        assert client.get(reverse(f"{prefix}_add")).status_code == 403
        assert client.post(reverse(f"{prefix}_change", args=[ours.rows[label].pk])).status_code == 403
        assert client.post(reverse(f"{prefix}_delete", args=[ours.rows[label].pk])).status_code == 403


def test_an_admin_of_one_project_cannot_take_over_a_person_of_two(ours, theirs):
    person = theirs.rows["projects.user"]
    person.memberships.create(project=ours.project, role=Role.VIEWER)
    client = login(factories.make_user(ours.project, Role.ADMIN))

    password_page = client.get(reverse("admin:auth_user_password_change", args=[person.pk]))

    assert password_page.status_code == 403
    assert not client.get(reverse("admin:projects_user_change", args=[person.pk])).context[
        "has_change_permission"
    ]


def test_members_do_not_see_other_accounts(ours, theirs):
    client = login(factories.make_user(ours.project, Role.VIEWER))

    listed = client.get(reverse("admin:projects_account_changelist")).context["cl"].queryset

    assert list(listed) == [Account.objects.get(name="ours account")]
