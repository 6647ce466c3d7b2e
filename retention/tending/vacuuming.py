"""Vacuuming: after a purge that took much, the table's pages are made free, and its indexes rid of what is gone."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Final

from django.apps import apps
from django.db import connection

from outbox import upkeep
from retention.stores import STORES

logger = logging.getLogger(__name__)

MUCH: Final = 0.10  # the share of dead rows from which on a table is vacuumed
FEWEST: Final = 1000  # dead rows, for which it is worth a look at every index
# An autovacuum that is at work is left alone: it gives way to who has waited a second for it.
_PATIENCE: Final = "500ms"
_PAUSE: Final = "2ms"  # as an autovacuum rests, so that others hardly notice
ALONE: Final = "retention.vacuuming"  # what one process does at a time, by its name in the database

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
    with upkeep.alone(ALONE, lock_timeout=_PATIENCE, vacuum_cost_delay=_PAUSE) as is_alone:
        if not is_alone:
            return []
        many = [table for table in tables() if table.dead >= FEWEST and table.dead_share > MUCH]
        return [table.name for table in many if _vacuum(table)]


def _vacuum(table: Table) -> bool:
    started = time.monotonic()
    is_done = upkeep.does("VACUUM (INDEX_CLEANUP ON)", table.name)
    if is_done:
        took = time.monotonic() - started
        logger.info("Vacuumed %s: %d of its rows were dead. It took %.1f s.", table.name, table.dead, took)
    return is_done
