"""What the stories of retention share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pgtrigger
import pytest
from django.core.management import call_command
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper

from projects.models import App
from tests.factories import make_app


@pytest.fixture
def app(db: None) -> App:
    return make_app()


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Rows that other connections see, for stories of two at once; swept away, append-only tables too."""
    with django_db_blocker.unblock():
        yield
        with pgtrigger.ignore():
            call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def somebody_else(committed: None) -> Iterator[DatabaseWrapper]:
    """A second connection, in a transaction of its own."""
    other: Any = connection.copy()
    other.inc_thread_sharing()
    other.set_autocommit(False)
    yield other
    other.rollback()
    other.close()
