"""Asking the database for no longer than one has time: what is known by then has to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from psycopg.errors import QueryCanceled

RUNGS: Final = (50_000, None)  # of counting: what is known when the time is over; None: all

T = TypeVar("T")

_LIMIT = "SELECT current_setting('statement_timeout'), set_config('statement_timeout', %s, true)"
_UNLIMIT = "SELECT set_config('statement_timeout', %s, true)"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of rows; where the time did not suffice, how many there are at least."""

    number: int = 0
    is_exact: bool = True

    def __add__(self, other: Figure) -> Figure:
        return Figure(self.number + other.number, self.is_exact and other.is_exact)

    def __bool__(self) -> bool:
        return bool(self.number) or not self.is_exact

    def __str__(self) -> str:
        return f"{self.number:,}" if self.is_exact else f"at least {self.number:,}"


class Watch:
    """Asks the database as long as there is time, and then knows what it knows."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def count(self, rows: QuerySet[Any]) -> Figure:
        """In steps, each of which is worth something when the next one is cut off."""
        known = 0
        for rung in RUNGS:
            number = self.ask(rows.order_by()[:rung].count)
            if number is None:
                return Figure(known, is_exact=False)
            if rung is None or number < rung:
                return Figure(number)
            known = number
        return Figure(known, is_exact=False)

    def ask(self, question: Callable[[], T]) -> T | None:
        """The answer, if it comes in the time that is left."""
        left = int(1000 * (self._until - time.monotonic()))
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_LIMIT, [f"{max(left, 1)}ms"])
                before = cursor.fetchone()[0]
                answer = question()
                cursor.execute(_UNLIMIT, [before])  # the caller's transaction goes on with its own
        except OperationalError as error:
            if isinstance(error.__cause__, QueryCanceled):
                return None
            raise
        return answer
