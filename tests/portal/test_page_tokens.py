"""A page token is good for the list that gave it, in its own project, and for no other."""

import itertools

import pytest

from contacts.models import Consent, ConsentList
from gateway.channels.base import Channel
from tests.factories import (
    api_client,
    make_app,
    make_contact,
    make_conversation,
    make_event,
    make_message,
    make_project,
    path,
)

pytestmark = pytest.mark.django_db

NUMBERS = ("46700000001", "46700000002")


@pytest.fixture
def lists():
    """A project, and its lists by their path below it: each holds more than one entry."""
    project = make_project()
    app = make_app(project)
    people = [make_contact(project, (Channel.SMS, number)) for number in NUMBERS for _ in range(2)]
    conversations = [make_conversation(app, one) for one in people]
    for conversation in conversations:
        make_message(conversation=conversation)
        make_event(conversations[0])
    for number in NUMBERS:
        Consent.objects.create(
            app=app, channel=Channel.SMS, identity=number, list_type=ConsentList.OPT_OUT_ALL
        )
    return project, {
        "contacts": {},
        "contacts:identityConflicts": {},
        "conversations": {"app_id": app.id},
        "conversations:recent": {"app_id": app.id},
        "messages": {"app_id": app.id},
        "events": {"conversation_id": conversations[0].id},
        f"apps/{app.id}/consents/OPT_OUT_ALL": {},
    }


def listed(project, rest, query, **paging):
    return api_client(project).get(path(project, rest), query | paging)


def test_no_list_takes_the_token_of_another_list(lists):
    project, queries = lists
    tokens = {
        rest: listed(project, rest, query, page_size=1).json()["next_page_token"]
        for rest, query in queries.items()
    }
    assert all(tokens.values()), tokens

    for rest, other in itertools.product(queries, tokens):
        answer = listed(project, rest, queries[rest], page_token=tokens[other])
        assert answer.status_code == (200 if rest == other else 400), (rest, other)


def test_no_project_takes_the_token_of_another_project(lists):
    project, _ = lists
    token = listed(project, "contacts", {}, page_size=1).json()["next_page_token"]

    answer = listed(make_project(), "contacts", {}, page_token=token)

    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["fieldViolations"][0]["field"] == "page_token"
