"""What each operation costs the database: the numbers in query_counts.json, for a typical request with a warm token."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from contacts.models import ChannelIdentity, ContactSettings
from conversations.models import Conversation, ConversationEvent, Message
from portal.openapi import document
from portal.openapi.examples import REQUESTS
from projects import clock, keys
from projects.models import App
from tests.factories import NOW, make_contact, make_message
from tests.portal.openapi_world import World
from tests.portal.test_openapi_answers import named
from webhooks.models import Replay

COUNTS: Final[dict[str, int]] = json.loads(
    (Path(__file__).parent.parent / "query_counts.json").read_text(encoding="utf-8")
)
FRAMES: Final = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")  # of a transaction, not what is asked in it
QUERIES: Final = {
    "listConversations": "app_id",
    "listRecentConversations": "app_id",
    "listEvents": "conversation_id",
}


def forget_settings() -> None:
    """And who shares a number, for that is what the typical settings forbid."""
    ContactSettings.objects.all().delete()
    ChannelIdentity.objects.all().delete()


# What is in the way of a few operations.
CLEARED: Final[Mapping[str, Callable[[], object]]] = {
    "createSettings": forget_settings,
    "createConversation": lambda: Conversation.objects.update(stopped_at=NOW),
    "replayDeliveries": lambda: Replay.objects.all().delete(),
}
REFUSED: Final = {"getChannelProfile": 400}  # it would wait for a channel: here nobody is known to it


class WarmWorld(World):
    """One whose keys are known to this process, which has sent before."""

    def __init__(self) -> None:
        super().__init__()
        key, secret = keys.issue(project=self.project)
        keys.identify(key.id, secret)
        for kind in (Message, ConversationEvent):  # what is old is not served
            kind.objects.update(accept_time=clock.now())
        self.basic = "Basic " + base64.b64encode(f"{key.id}:{secret}".encode()).decode()
        sent = ask(self, "sendMessage", "POST /v1/projects/{project_id}/messages:send")
        assert sent.status_code == 200, sent.content


@pytest.fixture
def world(db: None, settings: Any) -> WarmWorld:
    settings.RETENTION_READ_FILTER = True
    return WarmWorld()


def operations() -> dict[str, str]:
    """By the name of each operation its method and path."""
    paths = document.document()["paths"]
    return {
        one["operationId"]: f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method, one in methods.items()
    }


def cost(world: WarmWorld, name: str, place: str) -> int:
    """Make the operation's typical request and take it back; how many statements it took."""
    with transaction.atomic():
        CLEARED.get(name, lambda: None)()
        with CaptureQueriesContext(connection) as queries:
            answer = fetch_token(world) if name == "getToken" else ask(world, name, place)
        transaction.set_rollback(True)
    assert answer.status_code == REFUSED.get(name, 200), (name, answer.content)
    return sum(not query["sql"].startswith(FRAMES) for query in queries)


def ask(world: World, name: str, place: str) -> Any:
    """By the first of its examples."""
    method, path = place.split()
    body = next(iter(REQUESTS.get(name, {}).values()), {})
    asked_for = f"?{QUERIES[name]}={world.ids[QUERIES[name]]}" if name in QUERIES else ""
    return world.client.generic(
        method,
        path.format_map(world.places(path)) + asked_for,
        json.dumps(named(body, world.words)),
        content_type="application/json",
    )


def fetch_token(world: WarmWorld) -> Any:
    return world.client.post(
        "/oauth2/token",
        "grant_type=client_credentials",
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": world.basic},
    )


def test_every_operation_costs_as_many_queries_as_it_says(world: WarmWorld) -> None:
    costs = {place: cost(world, name, place) for name, place in operations().items()}

    assert costs == COUNTS


@pytest.mark.parametrize("listed", ["messages", "contacts", "conversations"])
def test_a_page_costs_as_many_queries_as_the_one_before(world: WarmWorld, listed: str) -> None:
    for number in range(3):
        make_contact(world.project, f"4670000001{number}")
        make_message(App.objects.get(pk=world.ids["app_id"]), accept_time=clock.now())
    costs, page_token = [], ""

    for _ in range(3):
        with CaptureQueriesContext(connection) as queries:
            asked: dict[str, Any] = {"page_size": 1, "page_token": page_token, "app_id": world.ids["app_id"]}
            page_token = world.client.get(f"/v1/projects/{world.project.id}/{listed}", asked).json()[
                "next_page_token"
            ]
        costs.append(len(queries))

    assert page_token
    assert all(one == next_one for one, next_one in pairwise(costs))
