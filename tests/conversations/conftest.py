"""A project with an app on the sandbox, and its API."""

import pytest

from tests.factories import api_client, make_app, make_project


@pytest.fixture
def project(db):
    return make_project()


@pytest.fixture
def app(project):
    return make_app(project)


@pytest.fixture
def api(project):
    return api_client(project)
