"""Who did something, in words."""

import pytest

from projects import authors, keys
from projects.models import AccessKey
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_person_is_called_by_name():
    user = factories.make_user()
    user.first_name, user.last_name = "Ada", "Lovelace"

    assert authors.named(user, None) == "Ada Lovelace"


def test_a_person_without_a_name_is_called_by_their_user_name():
    user = factories.make_user()

    assert authors.named(user, None) == user.username


def test_a_key_is_called_by_its_name_and_project():
    key, _ = keys.issue(project=factories.make_project(name="Shop"), name="deploy")

    assert authors.named(None, key.pk) == f"API key deploy ({key.pk}) of project Shop"


def test_a_key_without_a_name_or_a_row_is_called_by_its_id():
    key, _ = keys.issue(project=factories.make_project(name="Shop"))

    named = authors.keys_named([key.pk, factories.KEY])

    assert AccessKey.objects.count() == 1
    assert named == {key.pk: f"API key {key.pk} of project Shop", factories.KEY: f"API key {factories.KEY}"}


def test_where_nobody_is_known_it_was_the_system():
    assert authors.named(None, None) == "the system"
