"""Templates of one project, created and changed over the API."""

import pytest

from tests.conversations.templates.bodies import body
from tests.factories import path


@pytest.fixture
def at(project):
    return lambda rest="": path(project, f"templates{rest}", version=2)


@pytest.fixture
def create(api, at):
    return lambda *translations, **fields: api.post(at(), body(*translations, **fields), format="json")


@pytest.fixture
def change(api, at):
    def change(template_id, *translations, **fields):
        return api.put(at(f"/{template_id}"), body(*translations, **fields), format="json")

    return change
