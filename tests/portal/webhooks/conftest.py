"""A webhook whose receiver takes everything, and people who look at its pages."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from projects.models import Role
from tests import factories
from tests.portal.pages import login
from tests.portal.webhooks.deliveries import SECRET


@pytest.fixture
def app(settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    return factories.make_app(display_name="Parcels")


@pytest.fixture
def webhook(app, httpserver):
    httpserver.expect_request("/hook").respond_with_json({"taken": True})
    return factories.make_webhook(app, httpserver.url_for("/hook"), secret=SECRET)


@pytest.fixture
def client(app):
    return login(factories.make_user(app.project, Role.OPERATOR))


@pytest.fixture
def viewer(app):
    return login(factories.make_user(app.project, Role.VIEWER))
