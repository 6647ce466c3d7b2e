"""Every address of the API, to a stranger: another project's path is refused, another project's id does not exist."""

import itertools
import re

import pytest
from django.urls import URLPattern, get_resolver

from projects.ids import ulid
from retention import holding
from retention.models import HoldScope
from tests.factories import (
    NOW,
    api_client,
    make_app,
    make_contact,
    make_conversation,
    make_event,
    make_message,
    make_project,
    make_replay,
    make_template,
    make_webhook,
)

PROJECT = re.compile(r"v\d/projects/<project_id>/")
METHODS = ["get", "post", "put", "patch", "delete"]


def routes(patterns=None, prefix=""):
    """Every address of the URLconf, as one text."""
    for pattern in patterns or get_resolver().url_patterns:
        route = prefix + re.sub(r"<\w+:", "<", str(pattern.pattern))
        if isinstance(pattern, URLPattern):
            yield route
        elif not route.startswith("admin/"):
            yield from routes(pattern.url_patterns, route)


PROJECT_ROUTES = sorted(route for route in routes() if PROJECT.match(route))
EVERY_CALL = list(itertools.product(PROJECT_ROUTES, METHODS))


@pytest.fixture
def project(db):
    return make_project()


@pytest.fixture
def theirs(project):
    """An id of everything that another project has."""
    app = make_app(project)
    webhook = make_webhook(app)
    conversation = make_conversation(app, make_contact(project, "46700000010"))
    return {
        "app_id": app.id,
        "webhook_id": webhook.id,
        "contact_id": conversation.contact_id,
        "conversation_id": conversation.id,
        "event_id": make_event(conversation).id,
        "list_type": "OPT_OUT_ALL",
        "identity": "46700000010",
        "message_id": make_message(conversation=conversation).id,
        "template_id": make_template(project).public_id,
        "replay_id": make_replay(webhook).id,
        "hold_id": holding.place(project=project, scope=HoldScope.PROJECT, matter="Case 7", now=NOW).id,
    }


def test_there_are_addresses_to_try():
    assert len(PROJECT_ROUTES) >= 10


@pytest.mark.parametrize(("route", "method"), EVERY_CALL)
def test_a_token_of_another_project_is_refused(project, theirs, route, method):
    url = "/" + filled(route, {"project_id": str(project.id)} | theirs)

    answer = getattr(api_client(make_project()), method)(url, {}, format="json")

    assert (answer.status_code, answer.json()["error"]["status"]) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize(("route", "method"), EVERY_CALL)
def test_without_a_token_nothing_is_told(project, theirs, client, route, method):
    answer = getattr(client, method)("/" + filled(route, {"project_id": str(project.id)} | theirs))

    assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("route", "method"),
    [call for call in EVERY_CALL if "<" in PROJECT.sub("", call[0])],
)
def test_an_id_of_another_project_is_answered_as_one_that_does_not_exist(theirs, route, method):
    ours = make_project()
    api = api_client(ours)

    def answer(ids):
        url = "/" + filled(route, {"project_id": str(ours.id)} | ids)
        found = getattr(api, method)(url, {}, format="json")
        return found.status_code, found.json()["error"]["status"]

    foreign = answer(theirs)

    assert foreign == answer(dict.fromkeys(theirs, ulid())) == answer(dict.fromkeys(theirs, "nonsense"))
    assert foreign in [(404, "NOT_FOUND"), (501, "UNIMPLEMENTED")]


def filled(route, values):
    """The address with an id in each place; a place without one fails the test, so that it gets one."""
    return re.sub(r"<(\w+)>", lambda place: values[place[1]], route)
