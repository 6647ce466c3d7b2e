"""How much of what is due one batch takes: a window of ages, cut by time and not by number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet

from outbox import statements
from retention.due import Due

FIRST_WIDTH: Final = timedelta(hours=1)
NARROWEST, WIDEST = timedelta(microseconds=1), timedelta(days=3650)
STEP: Final = 4.0  # a window is at most so many times as wide, or as narrow, as the last
LEAP: Final = 16  # one that is nearly empty is made so many times as wide before anything is deleted
STOP: Final = 4  # a window that holds more times the target than this is cut by number
# A batch that took longer halves the next window; one that aims at more rows may take so long for each of them.
SLOW_SECONDS, SLOW_SECONDS_A_ROW = 0.1, 0.0001

_MICROSECOND: Final = timedelta(microseconds=1)
BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)
# What is held is counted too: without it, an index alone could not tell.
_LOOK: Final = """
    WITH oldest AS MATERIALIZED (SELECT age FROM ({rows}) AS due (age) WHERE age >= %s ORDER BY age LIMIT 1)
    SELECT age, (SELECT count(*) FROM (
        SELECT FROM ({every}) AS due (age) WHERE due.age >= oldest.age AND due.age < oldest.age + %s LIMIT %s
    ) AS inside) FROM oldest
"""


@dataclass(frozen=True, slots=True)
class Window:
    """Rows whose age lies in [since, until); of a crowd in there only the oldest."""

    since: datetime
    until: datetime
    is_crowded: bool = False

    @property
    def width(self) -> timedelta:
        """From its first moment to its last."""
        return self.until - self.since

    def of(self, rows: QuerySet[Any], age: str) -> QuerySet[Any]:
        """Those of the rows that are in it."""
        return rows.filter(**{f"{age}__gte": self.since, f"{age}__lt": self.until})


def first(part: Due, *, since: datetime | None, width: timedelta, target: int) -> Window | None:
    """The window at the oldest row that is left, from the age `since` on; None: there is none."""
    if part.rows.query.is_empty():
        return None
    most = STOP * target
    # What this run has passed is skipped: its dead rows would be read again with each batch.
    begin, number = _look(part, since or BEFORE_ALL, width, most)
    if begin is None:
        return None
    window = Window(begin, begin + width)
    while number < target / STEP and window.until <= part.cutoff:
        window = Window(begin, begin + LEAP * window.width)
        _, number = _look(part, begin, window.width, most)
    return window if number <= most else crowd(part, window, target=target)


def crowd(part: Due, window: Window, *, target: int) -> Window:
    """As much of a window that holds too many as there are rows to be taken."""
    inside = window.of(part.rows, part.age).order_by(part.age, "pk").values_list(part.age, flat=True)
    last = inside[target - 1 : target].first()
    return Window(window.since, last + _MICROSECOND, is_crowded=True) if last else window


def _look(part: Due, since: datetime, width: timedelta, most: int) -> tuple[datetime | None, int]:
    """The age of the oldest row, and how many are in the window there, held or not; of more than `most` that alone."""
    (rows, of_rows), (every, of_every) = part.ages, part.ages_with_held
    parameters: list[Any] = [*of_rows, since, *of_every, width, most + 1]
    ((begin, number),) = statements.run(_LOOK.format(rows=rows, every=every), parameters) or [(None, 0)]
    return begin, number


def next_width(width: timedelta, *, taken: int, target: int, seconds: float) -> timedelta:
    """As wide as it should be to hold the target, judged by what the last one held and how long that took."""
    scale = min(max(target / max(taken, 1), 1 / STEP), STEP)
    if is_slow(seconds, target=target):
        scale = min(scale, 0.5)
    return min(max(width * scale, NARROWEST), WIDEST)


def is_slow(seconds: float, *, target: int) -> bool:
    """Whether a batch took so long that others may have felt it."""
    return seconds > max(SLOW_SECONDS, SLOW_SECONDS_A_ROW * target)


# Rows a batch aims at: small ones are hardly noticed by who writes at the same time, as long as what they log stays
# well below the megabyte at which PostgreSQL's log writer goes to the disk, where it stands in the way of who commits.
# Where much has piled up, larger ones cost less each. Measured: docs/decisions/0020-purge-windows.md
TARGET: Final = 500
TARGET_WHEN_LATE: Final = 5000
LATE: Final = timedelta(hours=12)


def target(lag: timedelta) -> int:
    """How many rows to aim at when the oldest has been overdue for so long."""
    return TARGET_WHEN_LATE if lag > LATE else TARGET
