import json

import pytest

from tests.factories import api_client, make_app, make_project, make_webhook
from webhooks.models import Event


@pytest.fixture
def project():
    return make_project()


@pytest.fixture
def app(project):
    """Its one webhook listens to everything."""
    app = make_app(project)
    make_webhook(app)
    return app


@pytest.fixture
def client(project):
    return api_client(project)


@pytest.fixture
def told(app):
    """What the project's webhook was told of a trigger: the callbacks, oldest first."""

    def callbacks(trigger):
        return [
            json.loads(bytes(event.body)) for event in Event.objects.filter(trigger=trigger).order_by("id")
        ]

    return callbacks
