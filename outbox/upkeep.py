"""Upkeep: what tables need now and then, done by one process at a time, which gives way to whoever is there first."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable

logger = logging.getLogger(__name__)

_ALONE: Final = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
_NO_LONGER_ALONE: Final = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"
_SET: Final = "SELECT set_config(%s, %s, FALSE)"


@contextmanager
def alone(name: str, **settings: str) -> Iterator[bool]:
    """Whether no other process, on any machine, is at what is named so. The server's `settings` are for the block."""
    with connection.cursor() as cursor:
        cursor.execute(_ALONE, [name])
        (is_alone,) = cursor.fetchone()
        if not is_alone:
            yield False
            return
        try:
            for setting, value in settings.items():
                cursor.execute(_SET, [setting, value])
            yield True
        finally:
            for setting in settings:
                cursor.execute(f"RESET {setting}")
            cursor.execute(_NO_LONGER_ALONE, [name])


def does(command: str, name: str) -> bool:
    """Whether it was done with this table or index, and not left for the next time as somebody is in its way.

    In no transaction. How long it waits for them is the connection's `lock_timeout`.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"{command} {connection.ops.quote_name(name)}")
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        logger.info("%s %s: not now, somebody else uses it or could still read what has gone.", command, name)
        return False
    return True
