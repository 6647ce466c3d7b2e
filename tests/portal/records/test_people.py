"""The pages of people and keys, and the history that says who changed what."""

from __future__ import annotations

import pytest
from django.urls import reverse

from projects import keys
from projects.models import AccessKey, Membership, Role
from tests import factories
from tests.portal.pages import form_of

pytestmark = pytest.mark.django_db


def test_the_secret_of_a_key_is_shown_once(client, world):
    response = client.post(
        reverse("admin:projects_accesskey_add"), {"project": world.project.pk, "name": "mobile"}
    )

    key = AccessKey.objects.get(name="mobile")
    secret = response.context["secret"]
    assert keys.identify(key.pk, secret).project_id == str(world.project.pk)
    assert (
        secret not in client.get(reverse("admin:projects_accesskey_change", args=[key.pk])).content.decode()
    )


def test_a_revoked_key_opens_nothing(client, world, django_capture_on_commit_callbacks):
    key, secret = keys.issue(project=world.project)
    keys.identify(key.pk, secret)

    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("admin:projects_accesskey_revoke", args=[key.pk]))

    with pytest.raises(keys.InvalidKey):
        keys.identify(key.pk, secret)


def test_the_history_of_a_row_tells_who_changed_what_from_where(client, world):
    app = world.rows["projects.app"]
    address = reverse("admin:projects_app_change", args=[app.pk])
    client.post(address, form_of(client, address, "app_form") | {"display_name": "Another name"})

    page = client.get(reverse("admin:projects_app_history", args=[app.pk])).content.decode()

    assert "ours app" in page
    assert "Another name" in page
    assert "PORTAL" in page


def test_the_configuration_has_a_history(client, world):
    for label in ("projects.app", "projects.project", "projects.membership", "webhooks.webhook",
                  "projects.channelcredential"):  # fmt: skip
        address = reverse(f"admin:{label.replace('.', '_')}_history", args=[world.rows[label].pk])

        assert "Created" in client.get(address).content.decode(), label


def test_a_member_is_added_by_user_name(client, world):
    person = factories.make_user(username="newcomer", is_staff=False)

    response = client.post(
        reverse("admin:projects_membership_add"),
        {"project": world.project.pk, "username": "newcomer", "role": "VIEWER"},
    )

    assert response.status_code == 302
    assert Membership.objects.get(user=person).role == Role.VIEWER
    person.refresh_from_db()
    assert person.is_staff


def test_a_person_is_a_member_once(client, world):
    response = client.post(
        reverse("admin:projects_membership_add"),
        {"project": world.project.pk, "username": "ours-admin", "role": "VIEWER"},
    )

    assert "already a member" in response.content.decode()


def test_an_admin_makes_a_person_who_is_a_member_at_once(client, world):
    response = client.post(reverse("admin:projects_user_add"), {
        "username": "fresh", "email": "", "usable_password": "true", "password1": "a long enough secret",
        "password2": "a long enough secret", "project": world.project.pk, "role": "OPERATOR",
    })  # fmt: skip

    assert response.status_code == 302, response.context["errors"]
    assert Membership.objects.get(user__username="fresh").role == Role.OPERATOR
