"""A person's request is not forgotten: its month has an end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contacts.models import Contact
from projects.models import Mail, Role
from retention.models import PrivacyRequest
from retention.privacy import requests, urging
from tests.factories import NOW, make_user
from tests.retention.privacy.conftest import CANARY

DAY = timedelta(days=1)


@pytest.fixture
def request_(person: Contact) -> PrivacyRequest:
    make_user(person.project, Role.ADMIN, email="admin@example.com")
    make_user(username="root", is_superuser=True, email="root@example.com")
    erasure = PrivacyRequest.Kind.ERASURE
    return requests.receive(person, kind=erasure, identity_check="a code to the number", now=NOW)


def test_it_is_mailed_a_week_before_its_day_and_every_week_after(request_: PrivacyRequest) -> None:
    due_at = request_.due_at

    sent = [urging.urge(now=due_at + days * DAY) for days in (-8, -7, -6, -0.5, 0, 1, 7)]

    assert sent == [0, 1, 0, 0, 1, 0, 1]
    first, *_, last = Mail.objects.order_by("pk")
    assert first.recipients == ["admin@example.com"]
    assert first.subject.startswith("Soon due")
    assert last.recipients == ["admin@example.com", "root@example.com"]
    assert last.subject.startswith("Overdue")
    assert f"/admin/retention/privacyrequest/{request_.pk}/change/" in first.text
    assert CANARY not in first.text


def test_one_that_is_refused_is_not_mailed(request_: PrivacyRequest) -> None:
    requests.refuse(request_, why="We do not know who asks.", by=None, now=NOW)

    assert urging.urge(now=request_.due_at) == 0


def test_what_a_legal_hold_keeps_may_wait(request_: PrivacyRequest) -> None:
    PrivacyRequest.objects.update(state=PrivacyRequest.State.HELD, decided_at=NOW)

    assert urging.urge(now=request_.due_at) == 0
