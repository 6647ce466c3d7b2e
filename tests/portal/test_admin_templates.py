"""The pages of templates: found from the navigation, read in every version, changed by nobody."""

import pytest
from django.urls import reverse

from conversations.composing import templates
from conversations.composing.templating import Wording
from projects.models import Role
from tests import factories
from tests.portal.pages import login

pytestmark = pytest.mark.django_db

LIST = "admin:conversations_template_changelist"


@pytest.fixture
def project():
    return factories.make_project()


@pytest.fixture
def client(project):
    return login(factories.make_user(project, Role.VIEWER))


def greeting(version, text):
    return Wording("en-US", version, {"text_message": {"text": text}})


def test_a_template_is_read_with_its_old_versions(client, project):
    template = factories.make_template(project, greeting("1", "Good day"), description="Greeting")
    wanted = templates.Wanted(
        description="Greeting", default_translation="en-US", wordings=[greeting("2", "Hey ${name}")]
    )
    templates.change(template, wanted, seen=1, now=factories.NOW)

    page = client.get(reverse("admin:conversations_template_change", args=[template.pk])).content.decode()

    assert page.index("Hey ${name}") < page.index("Good day")
    assert page.index("Current") < page.index("Old version")


def test_a_template_is_found_by_its_id_and_by_its_description(client, project):
    wanted = factories.make_template(project, description="Greeting")
    factories.make_template(project, description="Farewell")

    for term in (wanted.public_id, wanted.public_id.lower(), "greet"):
        assert list(client.get(reverse(LIST), {"q": term}).context["cl"].result_list) == [wanted], term


def test_the_history_says_which_key_changed_a_template(client, project):
    template = factories.make_template(project)
    change = {
        "version": 1, "description": "A greeting", "default_translation": "en-US",
        "translations": [{"language_code": "en-US", "text_message": {"text": "Hi"}}],
    }  # fmt: skip
    address = factories.path(project, f"templates/{template.public_id}", version=2)
    factories.api_client(project).put(address, change, format="json")

    page = client.get(reverse("admin:conversations_template_history", args=[template.pk]))

    newest, _ = page.context["changes"]
    assert newest.context["key"] == project.access_keys.get().pk
    assert ("description", "", "A greeting") in [
        (one.name, one.before, one.after) for one in newest.differences
    ]


def test_nobody_changes_a_template_here(project):
    admin = login(factories.make_user(is_superuser=True))
    template = factories.make_template(project)

    for view in ("change", "delete"):
        address = reverse(f"admin:conversations_template_{view}", args=[template.pk])
        assert admin.post(address, {}).status_code == 403
    assert admin.get(reverse("admin:conversations_template_add")).status_code == 403


def test_the_list_asks_as_many_questions_whatever_its_length(client, project, django_assert_max_num_queries):
    factories.make_template(project)
    client.get(reverse(LIST))
    with django_assert_max_num_queries(20) as few:
        client.get(reverse(LIST))
    for _ in range(8):
        factories.make_template(project)

    with django_assert_max_num_queries(len(few)):
        assert len(client.get(reverse(LIST)).context["cl"].result_list) == 9
