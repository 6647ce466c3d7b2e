"""Shrinking: what the queue's indexes grew to while nothing could be cleaned away, they give back afterwards.

Vacuum frees their pages for what comes, but never gives one back: after a transaction that stayed open for long
they are many times as large as what stands in them, and who reads them reads that.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable

from outbox.models import Entry, Lane

logger = logging.getLogger(__name__)

SMALL: Final = 1024 * 1024  # bytes; nobody notices an index of that size
ROOM: Final = 256  # bytes in an index for a row: about four times what it takes
# For each lock, and for each transaction that must end before the old index goes. Who writes waits for neither.
_PATIENCE: Final = "2s"

_ALONE: Final = "SELECT pg_try_advisory_lock(hashtextextended('outbox.shrinking', 0))"
_NO_LONGER_ALONE: Final = "SELECT pg_advisory_unlock(hashtextextended('outbox.shrinking', 0))"

# Dead rows count as long as they cannot be cleaned away: a new index would have them too.
_SPACIOUS: Final = """
    SELECT name.relname, pg_relation_size(indexrelid) AS bytes
    FROM pg_index
    JOIN pg_class name ON name.oid = indexrelid
    JOIN pg_stat_all_tables stat ON stat.relid = indrelid
    JOIN pg_class rows ON rows.oid = indrelid
    WHERE indrelid = ANY(%(tables)s::text[]::regclass[]) AND indisvalid
        AND pg_relation_size(indexrelid) > %(small)s + %(room)s * (greatest(rows.reltuples, 0) + n_dead_tup)
    ORDER BY name.relname
"""

# What an attempt left that was given up.
_UNFINISHED: Final = """
    SELECT name.relname FROM pg_index JOIN pg_class name ON name.oid = indexrelid
    WHERE indrelid = ANY(%(tables)s::text[]::regclass[]) AND NOT indisvalid
"""


def shrink() -> list[str]:
    """Clean the queue's tables and make their indexes anew that are far larger than they need be; gives which.

    In no transaction, and beside everything that goes on. None while another process does, or while a transaction
    stays open that could still see what has gone.
    """
    tables = [model._meta.db_table for model in (Entry, Lane)]
    with _alone() as is_alone:
        if not is_alone:
            return []
        for table in tables:
            _does("VACUUM", table)
        shrunk = [name for name, size in _rows(_SPACIOUS, tables) if _make_anew(name, size)]
        for (name,) in _rows(_UNFINISHED, tables):
            _does("DROP INDEX CONCURRENTLY", name)
        return shrunk


def _make_anew(name: str, size: int) -> bool:
    is_done = _does("REINDEX INDEX CONCURRENTLY", name)
    if is_done:
        logger.info("%s took %d bytes, far more than it needs, and was made anew.", name, size)
    return is_done


def _does(command: str, name: str) -> bool:
    """Whether it was done, and not left for the next time because somebody is in its way."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"{command} {connection.ops.quote_name(name)}")
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        logger.info("%s %s: not now, somebody else uses it or could still read what has gone.", command, name)
        return False
    return True


def _rows(question: str, tables: list[str]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, {"tables": tables, "small": SMALL, "room": ROOM})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether nobody else is at this; the connection's patience is for the time of the block."""
    with connection.cursor() as cursor:
        cursor.execute(_ALONE)
        (is_alone,) = cursor.fetchone()
        if not is_alone:
            yield False
            return
        cursor.execute(f"SET lock_timeout = '{_PATIENCE}'")
        try:
            yield True
        finally:
            cursor.execute("RESET lock_timeout")
            cursor.execute(_NO_LONGER_ALONE)
