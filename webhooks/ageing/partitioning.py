"""Partitioning: events and attempts stand in a table for each day, so that old ones are dropped, not deleted."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import OperationalError, connection, transaction

from projects.clock import DAY
from webhooks.models import Attempt, Event

logger = logging.getLogger(__name__)

AHEAD: Final = 7  # days whose tables stand ready
FEWEST_AHEAD: Final = 2  # below them somebody has to look

# Who waits for a lock on these tables has everybody behind it: rather try again at the next tick.
_TAKE_TURN = """
    SELECT set_config('lock_timeout', '2s', true), pg_advisory_xact_lock(hashtextextended('webhooks.partitions', 0))
"""
_TABLES = """
    SELECT child.relname FROM pg_inherits
    JOIN pg_class child ON child.oid = inhrelid
    WHERE inhparent = %s::regclass AND child.relname ~ '_[0-9]{8}$'
"""
# What came while the day had no table stands in `_rest`, and moves. Nobody may add to it meanwhile.
_MAKE = """
    LOCK TABLE {table}_rest IN ACCESS EXCLUSIVE MODE;
    CREATE TABLE {table}_{day:%Y%m%d} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
    WITH moved AS (DELETE FROM {table}_rest WHERE {key} >= '{start}' AND {key} < '{end}' RETURNING *)
        INSERT INTO {table}_{day:%Y%m%d} SELECT * FROM moved;
    ALTER TABLE {table} ATTACH PARTITION {table}_{day:%Y%m%d} FOR VALUES FROM ('{start}') TO ('{end}');
"""
_DROP = "DROP TABLE {table}_{day:%Y%m%d}"


def _first_id(moment: datetime) -> UUID:
    """The smallest public id that can have been made then: they begin with their milliseconds."""
    return UUID(int=round(moment.timestamp() * 1000) << 80)


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A table of tables, by day."""

    name: str
    key: str  # the column that tells the day
    bound: Callable[[datetime], object]  # its first value on a day

    def days(self) -> list[datetime]:
        """The days that have a table, the first of which has all that is older too."""
        with connection.cursor() as cursor:
            cursor.execute(_TABLES, [self.name])
            names = [name for (name,) in cursor.fetchall()]
        return sorted(datetime.strptime(f"{name[-8:]}+0000", "%Y%m%d%z") for name in names)

    def make(self, day: datetime) -> None:
        """A table for the day, unless it has one."""
        self._execute(_MAKE, day, is_wanted=lambda days: day not in days and day > days[0])

    def drop(self, day: datetime) -> None:
        """Drop the day's table with all that is in it."""
        self._execute(_DROP, day, is_wanted=lambda days: day in days)

    @transaction.atomic
    def _execute(
        self, statements: str, day: datetime, *, is_wanted: Callable[[list[datetime]], bool]
    ) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_TAKE_TURN)
            if is_wanted(self.days()):
                start, end = self.bound(day), self.bound(day + DAY)
                cursor.execute(
                    statements.format(table=self.name, key=self.key, day=day, start=start, end=end)
                )


EVENTS: Final = Partitioned(Event._meta.db_table, "id", _first_id)
ATTEMPTS: Final = Partitioned(Attempt._meta.db_table, "started_at", datetime.isoformat)


def prepare(*, now: datetime) -> None:
    """Make the tables of today and the days ahead; what cannot be made now is made at the next tick."""
    today = _day(now)
    for table in (EVENTS, ATTEMPTS):
        missing = {today + number * DAY for number in range(AHEAD + 1)} - set(table.days())
        for day in sorted(missing):
            _try(table.make, day)


def drop(table: Partitioned, *, older_than: datetime) -> None:
    """Drop the tables of days that began before that moment."""
    for day in table.days()[:-1]:  # one has to be there
        if day < older_than:
            _try(table.drop, day)


def days_ahead(*, now: datetime) -> int:
    """For how many days after today, without a gap, the tables stand ready."""
    ready = set(EVENTS.days()) & set(ATTEMPTS.days())
    days = itertools.count(1)
    return next(number for number in days if _day(now) + number * DAY not in ready) - 1


def stand_ready(*, now: datetime) -> bool:
    """Whether nobody has to look after them."""
    return days_ahead(now=now) >= FEWEST_AHEAD


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _try(verb: Callable[[datetime], None], day: datetime) -> None:
    try:
        verb(day)
    except OperationalError as error:
        logger.warning("The partition of %s has to wait: %s", day.date(), error)
