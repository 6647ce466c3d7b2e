import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from projects import keys
from projects.models import AccessKey, Project
from tests.factories import make_project

pytestmark = pytest.mark.django_db


def said(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_a_project_is_made_and_its_id_alone_is_printed_as_json():
    facts = json.loads(said("project", "Acme", "--json"))

    assert list(facts) == ["project_id"]
    assert Project.objects.get(pk=facts["project_id"]).name == "Acme"
    assert Project.objects.get().account.name == "Acme"


def test_a_project_is_made_and_told_of_in_words():
    text = said("project", "Acme")

    assert str(Project.objects.get(name="Acme").pk) in text


@pytest.mark.parametrize("name", ["", "  ", "x" * 201])
def test_a_project_has_a_name_of_reasonable_length(name):
    with pytest.raises(CommandError, match="no name for a project"):
        call_command("project", name)

    assert not Project.objects.exists()


def test_an_access_key_is_issued_and_opens_its_project():
    project = make_project()

    facts = json.loads(said("access_key", "--project", str(project.pk), "--json"))

    assert list(facts) == ["project_id", "key_id", "key_secret"]
    assert facts["project_id"] == str(project.pk)
    assert keys.identify(facts["key_id"], facts["key_secret"]).project_id == str(project.pk)


def test_an_access_key_is_shown_in_words_once():
    project = make_project()

    text = said("access_key", "--project", str(project.pk), "--name", "CI")

    key = AccessKey.objects.get()
    assert key.pk in text
    assert key.name == "CI"
    assert "not shown again" in text


@pytest.mark.parametrize("project_id", ["c7e5855e-4ed2-40b8-94e3-5f05131c95ef", "nonsense", ""])
def test_an_unknown_project_gets_no_key(project_id):
    with pytest.raises(CommandError, match="There is no project with the id"):
        call_command("access_key", "--project", project_id, "--json")

    assert not AccessKey.objects.exists()
