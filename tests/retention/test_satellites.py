"""What was written about a message goes with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import UniqueConstraint

from conversations import deleting
from projects.models import App, ProcessingMode
from retention import holding
from retention.models import HoldScope
from retention.policies import Scope
from tests.factories import make_message
from tests.retention.worlds import CONVERSATIONS, MESSAGES, orbit, purge, rule, satellites_left
from webhooks.models import Event, OfMessage

TTL = timedelta(days=30)


@pytest.mark.parametrize("retention_type", [MESSAGES, CONVERSATIONS])
def test_everything_written_about_a_message_goes_with_it(
    app: App, now: datetime, retention_type: Any
) -> None:
    rule(app, retention_type, 30, now=now)
    orbit(make_message(app, accept_time=now - 2 * TTL))
    kept = orbit(make_message(app, accept_time=now - TTL))

    purge(now)

    assert satellites_left() == len(kept)
    assert {row.message_id for row in kept} == set(Event.objects.values_list("message_id", flat=True))


def test_what_stays_among_much_that_goes_keeps_its_satellites(app: App, now: datetime) -> None:
    moment = now - timedelta(days=3)
    rule(app, MESSAGES, 1, now=now)
    rule(app, ttl_days=7, now=now, scope=Scope.DISPATCH)
    going = [orbit(make_message(app, accept_time=moment)) for _ in range(3)]
    held = make_message(app, accept_time=moment)
    dispatched = make_message(app, accept_time=moment, processing_mode=ProcessingMode.DISPATCH)
    kept = orbit(held) + orbit(dispatched)
    holding.place(
        project=app.project,
        scope=HoldScope.CONVERSATION,
        matter="Case 7",
        conversation_id=held.conversation_id,
        now=now,
    )

    assert purge(now) == (len(going), 0)

    assert satellites_left() == len(kept)


def test_what_is_about_no_message_stays(app: App, now: datetime) -> None:
    Event.objects.create(app=app, trigger="CONTACT_CREATE", body=b"{}", accept_time=now - 9 * TTL)
    make_message(app, accept_time=now - 9 * TTL)

    assert purge(now) == (1, 0)

    assert Event.objects.count() == 1


def test_every_satellite_that_a_room_may_think_of_is_found() -> None:
    names = {model.__name__ for model in deleting.satellites()}

    assert names == {"Candidate", "Receipt", "PendingEcho", "SentOnce", "Event", "Attempt", "DeadLetter"}


@pytest.mark.parametrize("model", deleting.satellites(), ids=lambda model: model.__name__)
def test_a_satellite_is_found_by_its_message_through_an_index(model: type[OfMessage]) -> None:
    first_columns = [index.fields[0] for index in model._meta.indexes if index.fields]
    first_columns += [
        rule.fields[0] for rule in model._meta.constraints if isinstance(rule, UniqueConstraint)
    ]

    assert "message_id" in first_columns
