"""Vacuuming: after a purge that took much, the table's pages are made free, and its indexes rid of what is gone."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from django.apps import apps
from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable

from retention.stores import STORES

logger = logging.getLogger(__name__)

MUCH: Final = 0.10  # the share of dead rows from which on a table is vacuumed; retention reference 3.5
FEWEST: Final = 1000  # dead rows, for which it is worth a look at every index
# An autovacuum that is at work is left alone: it gives way to who has waited a second for it.
_PATIENCE: Final = "500ms"
_PAUSE: Final = "2ms"  # as an autovacuum rests, so that others hardly notice
_ALONE: Final = 0x7AC001  # made up once: one vacuum of ours at a time, on any machine

_DEAD: Final = """
    SELECT stat.relname, n_dead_tup, n_live_tup FROM pg_stat_user_tables AS stat JOIN pg_class ON oid = relid
    WHERE oid = ANY(%s::text[]::regclass[]) AND relkind = 'r' ORDER BY stat.relname
"""


@dataclass(frozen=True, slots=True)
class Table:
    """How a table does, as the server counts."""

    name: str
    dead: int
    living: int

    @property
    def dead_share(self) -> float:
        """Of all its rows."""
        return self.dead / (self.dead + self.living) if self.dead else 0.0


def tables() -> list[Table]:
    """Those that the purge deletes from, but for what has a table for each day: that is dropped whole."""
    names = [apps.get_model(label)._meta.db_table for label in STORES]
    with connection.cursor() as cursor:
        cursor.execute(_DEAD, [names])
        return [Table(*row) for row in cursor.fetchall()]


def vacuum() -> list[str]:
    """Vacuum every table of which much is dead, in no transaction. Returns which; none while another process does."""
    with _alone() as is_alone:
        if not is_alone:
            return []
        many = [table for table in tables() if table.dead >= FEWEST and table.dead_share > MUCH]
        return [table.name for table in many if _vacuum(table)]


def _vacuum(table: Table) -> bool:
    started = time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM (INDEX_CLEANUP ON) {connection.ops.quote_name(table.name)}")
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        logger.info("%s is not vacuumed: somebody else is at it.", table.name)
        return False
    took = time.monotonic() - started
    logger.info("Vacuumed %s: %d of its rows were dead. It took %.1f s.", table.name, table.dead, took)
    return True


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether nobody else is at this; settings of the connection are for the time of the block."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_ALONE])
        (is_alone,) = cursor.fetchone()
        if not is_alone:
            yield False
            return
        cursor.execute(f"SET lock_timeout = '{_PATIENCE}'; SET vacuum_cost_delay = '{_PAUSE}'")
        try:
            yield True
        finally:
            cursor.execute("RESET lock_timeout; RESET vacuum_cost_delay")
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_ALONE])
