"""What the stories of retention share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper

from conversations.models import Message
from projects.models import App
from retention.deleting import windows
from tests.factories import make_app, make_message


@pytest.fixture
def app(db: None) -> App:
    return make_app()


@pytest.fixture
def committed(transactional_db: None) -> None:
    """Rows that other connections see, for stories of two at once; swept away afterwards."""


@pytest.fixture
def somebody_else(committed: None) -> Iterator[DatabaseWrapper]:
    """A second connection, in a transaction of its own."""
    other: Any = connection.copy()
    other.inc_thread_sharing()
    other.set_autocommit(False)
    yield other
    other.rollback()
    other.close()


@pytest.fixture
def message(app: App, now: datetime) -> Message:
    """Overdue, in a conversation."""
    return make_message(app, accept_time=now - timedelta(days=400))


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came within one hour goes together, and nothing else."""
    monkeypatch.setattr(windows, "TARGET_WHEN_LATE", 1)
