"""Shrinking: what the queue's indexes grew to while nothing could be cleaned away, they give back afterwards.

Vacuum frees their pages for what comes, but never gives one back: after a transaction that stayed open for long
they are many times as large as what stands in them, and who reads them reads that.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from django.db import connection

from outbox import upkeep
from outbox.models import Entry, Lane

logger = logging.getLogger(__name__)

SMALL: Final = 1024 * 1024  # bytes; nobody notices an index of that size
ROOM: Final = 256  # bytes in an index for a row: about four times what it takes
# For each lock, and for each transaction that must end before the old index goes. Who writes waits for neither.
_PATIENCE: Final = "2s"

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
    with upkeep.alone("outbox.shrinking", lock_timeout=_PATIENCE) as is_alone:
        if not is_alone:
            return []
        for table in tables:
            upkeep.does("VACUUM", table)
        shrunk = [name for name, size in _rows(_SPACIOUS, tables) if _make_anew(name, size)]
        for (name,) in _rows(_UNFINISHED, tables):
            upkeep.does("DROP INDEX CONCURRENTLY", name)
        return shrunk


def _make_anew(name: str, size: int) -> bool:
    is_done = upkeep.does("REINDEX INDEX CONCURRENTLY", name)
    if is_done:
        logger.info("%s took %d bytes, far more than it needs, and was made anew.", name, size)
    return is_done


def _rows(question: str, tables: list[str]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, {"tables": tables, "small": SMALL, "room": ROOM})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
