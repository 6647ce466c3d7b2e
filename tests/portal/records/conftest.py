"""A world of every record, and an administrator who looks at its pages."""

from __future__ import annotations

import pytest

from projects.models import Role
from tests import factories
from tests.portal.pages import login, make_world


@pytest.fixture
def world():
    return make_world("ours")


@pytest.fixture
def client(world):
    return login(factories.make_user(world.project, Role.ADMIN))
