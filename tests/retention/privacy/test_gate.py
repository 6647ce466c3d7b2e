"""After a restore the first request waits until whom the backup brought back is erased again."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection

from contacts.models import Contact
from portal.wsgi import Gate
from retention.privacy import restoring
from tests.retention.privacy.test_restoring import as_if_restored


def stored(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    return [str(Contact.objects.count()).encode()]


def begun(*_: Any) -> Any:
    """What begins an answer; nobody listens here."""


def ask_for(path: str, gate: Gate) -> bytes:
    return b"".join(gate({"PATH_INFO": path}, begun))


def test_nobody_is_served_before_who_was_erased_is_erased_again(person):
    as_if_restored(person)

    assert ask_for("/v1/projects/x/contacts", Gate(stored)) == b"0"


def test_being_alive_waits_for_nothing(person):
    as_if_restored(person)

    assert ask_for("/healthz", Gate(stored)) == b"1"


def test_it_looks_once(person):
    gate = Gate(stored)
    ask_for("/v1/", gate)
    as_if_restored(person)

    assert ask_for("/v1/", gate) == b"1"


def test_while_somebody_cannot_be_erased_again_nobody_is_served(person):
    as_if_restored(person)

    def without_messages(execute: Any, sql: str, *rest: Any) -> Any:
        if "DELETE" in sql:
            raise OperationalError("canceling statement due to lock timeout")
        return execute(sql, *rest)

    with (
        connection.execute_wrapper(without_messages),
        pytest.raises(restoring.StillHere, match="lock timeout"),
    ):
        Gate(stored)({"PATH_INFO": "/v1/"}, begun)

    assert Contact.objects.get() == person
