"""Lists: what they say while they are empty, how they are searched and filtered, and where they lead."""

from __future__ import annotations

from html import unescape

import pytest
from django.contrib import admin
from django.urls import reverse

from portal.site.beginnings import BEGINNINGS
from projects import clock, keys
from projects.models import Role
from retention.deciding import changing
from retention.models import Via
from tests import factories
from tests.portal.pages import list_addresses, login

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return factories.make_project()


@pytest.fixture
def client(project):
    return login(factories.make_user(project, Role.ADMIN))


def listed(client, name, **terms):
    return client.get(reverse(f"admin:{name}_changelist"), terms).content.decode()


def test_an_empty_list_says_what_would_stand_in_it(client):
    pages = {address: client.get(address) for address in list_addresses() if not address.endswith("/add/")}

    for address, page in pages.items():
        changes = page.context["cl"]
        html = unescape(page.content.decode())
        assert changes.result_count or BEGINNINGS[changes.opts.label_lower] in html, address
    assert BEGINNINGS.keys() <= {model._meta.label_lower for model in admin.site._registry}


def test_a_search_without_a_hit_is_not_an_empty_list(client):
    assert BEGINNINGS["contacts.contact"] not in listed(client, "contacts_contact", q="nobody")


@pytest.mark.parametrize("term", ["Ada Love", "ada  lovelace ", '"Ada Lovelace"', "Ada"])
def test_people_are_found_by_their_whole_name_or_its_start(client, project, term):
    factories.make_contact(project, display_name="Ada Lovelace")
    factories.make_contact(project, display_name="Charles Babbage")

    found = listed(client, "contacts_contact", q=term)

    assert "Ada Lovelace" in found
    assert "Charles Babbage" not in found


def test_conversations_are_filtered_by_their_state_in_words(client, project):
    app = factories.make_app(project)
    for name, stopped_at in (("Ada", None), ("Charles", clock.now())):
        contact = factories.make_contact(project, display_name=name)
        factories.make_conversation(app, contact, stopped_at=stopped_at)

    stopped = listed(client, "conversations_conversation", stopped_at__isempty="0")

    assert "Charles" in stopped
    assert "Ada" not in stopped
    assert "Not empty" not in stopped
    assert "Stopped</a>" in stopped


def test_nobody_is_led_where_they_may_not_go(client, project):
    viewer = login(factories.make_user(project, Role.VIEWER))
    version = changing.change(
        app=factories.make_app(project), retention_type="PERSIST_RETENTION_POLICY", ttl_days=180, via=Via.API,
        author_key=keys.issue(project=project)[0].pk, now=clock.now(),
    )  # fmt: skip
    owed = reverse("admin:retention_oweditem_change", args=[version.owed.pk])
    person = reverse("admin:projects_user_change", args=[factories.make_user(project, Role.VIEWER).pk])

    led = {
        role: [
            way in who.get(page).content.decode()
            for page, way in ((owed, "/settle/"), (person, "/password/"))
        ]
        for role, who in (("admin", client), ("viewer", viewer))
    }

    assert led == {"admin": [True, True], "viewer": [False, False]}


def test_ids_that_clients_ask_for_can_be_copied(client, project):
    shown = client.get(reverse("admin:projects_project_change", args=[project.pk])).content.decode()

    assert f'<span class="copyable"><code>{project.pk}</code></span>' in shown
