"""Legal holds over the API: placed, read and released by a key, on what its own project has."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from conversations.models import Message
from projects.ids import ulid
from projects.models import Project
from retention import holding
from retention.models import HoldScope, LegalHold, LegalHoldRelease
from tests.factories import (
    NOW,
    api_client,
    make_app,
    make_contact,
    make_conversation,
    make_message,
    make_project,
    make_user,
    path,
)
from tests.refusals import assert_refused
from tests.retention.worlds import purge

pytestmark = pytest.mark.django_db
CASE = {"scope": "PROJECT", "matter": "Doe v. Roe"}


@pytest.fixture
def project() -> Project:
    return make_project()


@pytest.fixture
def client(project: Project) -> APIClient:
    return api_client(project)


@pytest.fixture
def ask(client: APIClient, project: Project) -> Any:
    """Post below `/legal-holds`."""
    return lambda body, rest="": client.post(path(project, f"legal-holds{rest}"), body, format="json")


@pytest.fixture
def hold(project: Project) -> LegalHold:
    """Placed by a person."""
    return holding.place(
        project=project, scope=HoldScope.PROJECT, matter="Doe v. Roe", by=make_user(project), now=NOW
    )


def things_of(project: Project) -> dict[str, str]:
    """The ids of what a hold may name."""
    conversation = make_conversation(make_app(project), make_contact(project))
    return {
        "app_id": conversation.app_id,
        "contact_id": conversation.contact_id,
        "conversation_id": conversation.id,
    }


def test_what_a_key_holds_stays_until_a_key_releases_it(ask: Any, project: Project) -> None:
    message = make_message(make_app(project), accept_time=NOW - timedelta(days=400))

    placed = ask({"scope": "CONTACT", "matter": "Case 7", "contact_id": message.conversation.contact_id})
    purge(NOW)
    stayed = Message.objects.filter(pk=message.pk).exists()
    released = ask({"text": "The case is closed."}, f"/{placed.json()['id']}:release")
    purge(NOW)

    assert stayed
    assert (placed.json()["active"], released.json()["active"]) == (True, False)
    assert not Message.objects.filter(pk=message.pk).exists()


def test_which_key_placed_and_released_a_hold_is_on_record(ask: Any, project: Project) -> None:
    key = project.access_keys.get().id

    placed = ask(CASE).json()
    released = ask({"text": "Settled."}, f"/{placed['id']}:release").json()

    assert (placed["placed_by_key"], placed["release"]) == (key, None)
    assert released["release"] | {"text": "Settled.", "released_by_key": key} == released["release"]
    assert LegalHold.objects.get().placed_by_key == LegalHoldRelease.objects.get().released_by_key == key


@pytest.mark.parametrize("scope", HoldScope)
def test_a_hold_is_read_as_it_was_placed(
    ask: Any, client: APIClient, project: Project, scope: HoldScope
) -> None:
    name = f"{scope.lower()}_id"
    asked = CASE | {
        "scope": scope,
        "text": "A court asked for it.",
        "start_time": "2026-01-01T00:00:00.000001Z",
        "end_time": "2026-02-01T00:00:00Z",
    }
    asked |= {named: thing for named, thing in things_of(project).items() if named == name}

    placed = ask(asked).json()

    assert placed == placed | asked
    assert client.get(path(project, f"legal-holds/{placed['id']}")).json() == placed


def test_holds_are_listed_by_whether_they_hold(client: APIClient, project: Project, hold: LegalHold) -> None:
    ended = holding.place(project=project, scope=HoldScope.PROJECT, matter="Audit", now=NOW)
    holding.release(ended, text="Passed.", now=NOW)

    listed = {
        active: [one["id"] for one in client.get(path(project, "legal-holds"), asked).json()["legal_holds"]]
        for active, asked in {"any": {}, "yes": {"active": "true"}, "no": {"active": "false"}}.items()
    }

    assert listed == {"any": [ended.id, hold.id], "yes": [hold.id], "no": [ended.id]}
    assert_refused(client.get(path(project, "legal-holds"), {"active": "perhaps"}), "active")


def test_many_holds_come_in_pages_of_one_cost(client: APIClient, project: Project) -> None:
    for _ in range(5):
        holding.place(project=project, scope=HoldScope.PROJECT, matter="Doe v. Roe", now=NOW)
    found: list[str] = []
    costs, token = set(), ""

    for _ in range(3):
        with CaptureQueriesContext(connection) as queries:
            asked: dict[str, Any] = {"page_size": 2, "page_token": token}
            page = client.get(path(project, "legal-holds"), asked).json()
        found += [one["id"] for one in page["legal_holds"]]
        token = page["next_page_token"]
        costs.add(len(queries))

    assert (found, token) == (list(LegalHold.objects.order_by("-id").values_list("id", flat=True)), "")
    assert len(costs) == 1


@pytest.mark.parametrize("name", ["app_id", "contact_id", "conversation_id"])
def test_what_a_stranger_has_is_held_as_little_as_what_does_not_exist(ask: Any, name: str) -> None:
    theirs = things_of(make_project())[name]
    scope = name.removesuffix("_id").upper()

    answers = [
        ask(CASE | {"scope": scope, name: thing}).json()["error"] for thing in (theirs, ulid(), "nonsense")
    ]

    assert [(error["code"], error["status"]) for error in answers] == [(404, "NOT_FOUND")] * 3
    assert not LegalHold.objects.exists()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"scope": "EVERYTHING"}, "scope"),
        ({"scope": "APP"}, "app_id"),
        ({"scope": "CONTACT", "contact_id": ""}, "contact_id"),
        ({"scope": "CONVERSATION", "app_id": ulid()}, "app_id"),
        ({"app_id": ulid()}, "app_id"),
        ({"matter": None}, "matter"),
        ({"matter": " "}, "matter"),
        ({"matter": "\u200b"}, "matter"),
        ({"matter": "x" * 256}, "matter"),
        ({"text": "x" * 4001}, "text"),
        ({"start_time": "soon"}, "start_time"),
        ({"start_time": "2026-02-01T00:00:00Z", "end_time": "2026-02-01T00:00:00Z"}, ""),
    ],
)
def test_a_hold_that_says_too_little_or_too_much_is_refused_where_it_does(
    ask: Any, changed: dict[str, Any], field: str
) -> None:
    answer = ask(CASE | changed).json()["error"]

    assert answer["status"] == "INVALID_ARGUMENT"
    assert answer["details"][0]["fieldViolations"][0]["field"] == field
    assert not LegalHold.objects.exists()


@pytest.mark.parametrize("text", [None, "", " ", "\u200b", "x" * 4001])
def test_a_release_needs_a_reason(ask: Any, hold: LegalHold, text: str | None) -> None:
    answer = ask({"text": text}, f"/{hold.id}:release")

    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert LegalHold.objects.active().exists()


def test_a_hold_is_released_once(ask: Any, hold: LegalHold) -> None:
    first, again = (ask({"text": "Settled."}, f"/{hold.id}:release") for _ in range(2))

    assert (first.status_code, again.status_code) == (200, 400)
    assert again.json()["error"]["status"] == "FAILED_PRECONDITION"
    assert LegalHoldRelease.objects.count() == 1


def test_where_four_eyes_are_demanded_no_key_releases(ask: Any, project: Project, hold: LegalHold) -> None:
    Project.objects.filter(pk=project.pk).update(demands_four_eyes=True)
    placed_by_key = ask(CASE).json()["id"]

    answers = [ask({"text": "Settled."}, f"/{one}:release").json() for one in (hold.id, placed_by_key)]

    assert [answer["error"]["status"] for answer in answers] == ["FAILED_PRECONDITION"] * 2
    assert all("four eyes" in answer["error"]["message"] for answer in answers)
    assert LegalHold.objects.active().count() == 2
