"""Legal holds are placed and released, or refused, and stay on record as they were."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction

from conversations.models import Message
from projects.models import App
from retention import holding
from retention.models import HoldScope, LegalHold, LegalHoldRelease
from tests.factories import (
    api_client,
    make_app,
    make_message,
    make_user,
)
from tests.retention.worlds import cover, hold

DAY = timedelta(days=1)


def test_a_client_is_told_why(app: App, now: datetime) -> None:
    message = make_message(app, accept_time=now)
    hold(app, now=now)

    answer = api_client(app.project).delete(f"/v1/projects/{app.project_id}/messages/{message.id}")

    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "FAILED_PRECONDITION"
    assert "legal hold" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"matter": "  "}, "matter"),
        (
            {"scope": HoldScope.CONVERSATION, "conversation_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"},
            "conversation_id",
        ),
        ({"scope": HoldScope.CONTACT, "contact_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, "contact_id"),
        ({"scope": HoldScope.APP}, "__all__"),
        ({"accept_from": datetime(2026, 1, 1), "accept_until": datetime(2025, 1, 1)}, "__all__"),  # noqa: DTZ001
    ],
)
def test_a_hold_that_says_too_little_is_refused(
    app: App, now: datetime, more: dict[str, Any], field: str
) -> None:
    asked = {"scope": HoldScope.PROJECT, "matter": "Case 7"} | more
    moments = {name: asked[name].replace(tzinfo=now.tzinfo) for name in asked if name.startswith("accept")}

    with pytest.raises(ValidationError) as refusal:
        holding.place(project=app.project, **(asked | moments), now=now)

    assert list(refusal.value.message_dict) == [field]
    assert not LegalHold.objects.exists()


def test_a_stranger_cannot_be_held(app: App, message: Message, now: datetime) -> None:
    other = make_app()
    assert message.conversation

    for more in (
        {"app": app, "scope": HoldScope.APP},
        {"scope": HoldScope.CONTACT, **cover(HoldScope.CONTACT, message)},
    ):
        with pytest.raises(ValidationError):
            holding.place(project=other.project, matter="Case 7", now=now, **more)


def test_where_four_eyes_are_demanded_somebody_else_releases(app: App, now: datetime) -> None:
    app.project.demands_four_eyes = True
    app.project.save()
    one, other = make_user(app.project), make_user(app.project)
    placed = hold(app, now=now, by=one)

    for nobody_else in (one, None):
        with pytest.raises(ValidationError, match="four eyes"):
            holding.release(placed, text="Closed.", by=nobody_else, now=now)
    holding.release(placed, text="Closed.", by=other, now=now)
    with pytest.raises(ValidationError, match="already"):
        holding.release(placed, text="Closed.", by=other, now=now)

    assert LegalHoldRelease.objects.get().released_by == other
    assert not LegalHold.objects.active().exists()


@pytest.mark.parametrize("table", ["retention_legalhold", "retention_legalholdrelease"])
@pytest.mark.parametrize("attack", ["DELETE FROM {}", "UPDATE {} SET text = 'x'", "TRUNCATE {} CASCADE"])
def test_the_database_keeps_every_hold_as_it_was_placed(
    app: App, now: datetime, table: str, attack: str
) -> None:
    holding.release(hold(app, now=now), text="Closed.", now=now)

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match="pgtrigger: Cannot"):
            cursor.execute(attack.format(table))


def test_the_database_holds_no_app_of_another_project(app: App, now: datetime) -> None:
    stranger = make_app()

    with pytest.raises(DatabaseError, match="same_project_id"), transaction.atomic():
        LegalHold.objects.create(
            project=app.project, scope=HoldScope.APP, app=stranger, matter="Case 7", placed_at=now
        )
        connection.check_constraints()


@pytest.mark.parametrize("when", [timedelta(0), -DAY])
def test_the_database_lets_nobody_release_alone_or_too_early(
    app: App, now: datetime, when: timedelta
) -> None:
    app.project.demands_four_eyes = when == timedelta(0)
    app.project.save()
    officer = make_user(app.project)
    placed = hold(app, now=now, by=officer)

    with pytest.raises(DatabaseError, match="pgtrigger: Cannot release"), transaction.atomic():
        LegalHoldRelease.objects.create(
            hold=placed, text="Closed.", released_by=officer, released_at=now + when
        )

    assert LegalHold.objects.active().exists()
