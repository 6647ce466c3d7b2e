"""One statement finds the next window of single rows and empties it: both see the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from conversations import deleting
from conversations.deleting import Statement
from conversations.models import Conversation
from outbox import statements
from retention.deleting import windows
from retention.deleting.windows import Window
from retention.due import Due

# What is held is counted too: without it, an index alone could not tell.
_SWEEP: Final = """
    WITH oldest AS MATERIALIZED (
        SELECT age AS since, age + %s AS until FROM ({rows}) AS due (age) WHERE age >= %s ORDER BY age LIMIT 1
    ), inside AS MATERIALIZED (
        SELECT count(*) AS number FROM (
            SELECT FROM ({every}) AS due (age), oldest WHERE due.age >= since AND due.age < until LIMIT %s
        ) AS every_one
    ), span AS MATERIALIZED (
        SELECT *, number <= %s AND (number >= %s OR until > %s) AS fits FROM oldest, inside
    ), gone AS ({delete} RETURNING id)
    SELECT since, until, number, fits, (SELECT string_agg(uuid_send(id), ''::bytea) FROM gone) FROM span
"""
_FITS: Final[Any] = RawSQL("SELECT fits FROM span", [], output_field=BooleanField())

# A message that comes into a conversation writes to its row. Who has that locked is waited for, and then the row is
# looked at anew; the number of the transaction that wrote it last says whether anything can have come.
_FORGET: Final = """
    WITH span AS MATERIALIZED (SELECT %s::timestamptz AS since, %s::timestamptz AS until, age(%s::xid) AS written),
    forgetful AS ({update} RETURNING 1)
    SELECT (SELECT count(*) FROM ({inside}) AS inside) - (SELECT count(*) FROM forgetful)
"""
_UNWRITTEN: Final[Any] = RawSQL("age(xmin) > (SELECT written FROM span)", [], output_field=BooleanField())


@dataclass(frozen=True, slots=True)
class Swept:
    """What was in a window, and is gone."""

    ids: bytes  # 16 bytes each
    held: int  # what was in there and stayed


@dataclass(frozen=True)
class Sweep:
    """A part of what is due, with its statements: compiled once, they run with each batch."""

    app_id: str
    part: Due

    def next(
        self, *, since: datetime | None, width: timedelta, target: int
    ) -> tuple[Window | None, Swept | None]:
        """Empty the window at the oldest row from the age `since` on; no window: there is none.

        It waits for whoever has locked one of the rows. A crowd is left where it is.
        """
        if self.part.rows.query.is_empty():
            return None, None
        sql, of_rows, of_every, of_deletion = self._sweeping
        most = windows.STOP * target
        since = since or windows.BEFORE_ALL
        while True:
            limits = [most + 1, most, target / windows.STEP, self.part.cutoff]
            found = statements.run(sql, [width, *of_rows, since, *of_every, *limits, *of_deletion])
            if not found:
                return None, None
            ((begin, until, number, fits, gone),) = found
            if fits:
                ids = bytes(gone or b"")
                held = 0 if self.part.every is None else number - len(ids) // deleting.ID_BYTES
                return Window(begin, until), Swept(ids, held)
            if number > most:
                return windows.crowd(self.part, Window(begin, until), target=target), None
            since, width = begin, windows.LEAP * width

    def forget_newest(self, window: Window, floor: str) -> bool:
        """Tell conversations that nobody has written to since the transaction `floor` that they have no message.

        Their newest was in the window, all that is older went before, and no hold names them. Whether these were all.
        """
        if self.part.unnamed.query.is_empty():
            return False
        statement, parameters = self._forgetting
        ((others,),) = statements.run(statement, [window.since, window.until, floor, *parameters])
        return not others

    @cached_property
    def _sweeping(self) -> tuple[str, Sequence[Any], Sequence[Any], Sequence[Any]]:
        (rows, of_rows), (every, of_every) = self.part.ages, self.part.ages_with_held
        delete, of_deletion = deleting.deletion(_in_span(self.part.rows.filter(_FITS), self.part.age))
        return _SWEEP.format(rows=rows, every=every, delete=delete), of_rows, of_every, of_deletion

    @cached_property
    def _forgetting(self) -> Statement:
        unwritten = _with_newest(self.part.unnamed.filter(_UNWRITTEN))
        inside = _with_newest(Conversation.objects.filter(app=self.app_id))
        update, of_update = deleting.forgetting(unwritten)
        seen, of_seen = inside.values("pk").query.sql_with_params()
        return _FORGET.format(update=update, inside=seen), (*of_update, *of_seen)


def _with_newest(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    return _in_span(conversations.filter(newest_accept_time__isnull=False), "expiry_anchor")


def _in_span(rows: QuerySet[Any], age: str) -> QuerySet[Any]:
    """Those whose age lies in the `span` of the statement around."""
    since, until = RawSQL("SELECT since FROM span", []), RawSQL("SELECT until FROM span", [])
    return rows.filter(**{f"{age}__gte": since, f"{age}__lt": until})
