"""Surveying: counting what is due of every app, which takes too long for a scrape, and keeping the counts."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from django.db.models import F, Min, QuerySet, Sum

from projects.models import App
from retention import due, measuring
from retention.due import Due
from retention.models import Survey
from retention.watching import Watch

SECONDS: Final = 60.0  # for all apps; the others' turn comes with the next survey
SECONDS_FOR_AN_APP: Final = 2.0  # what is counted by then has to do
AT_ONCE: Final = 100  # apps whose policies and holds are read together
_DAY: Final = timedelta(days=1)
_COLUMNS: Final = ("due", "held", "due_tomorrow", "overdue_since", "taken_at")


@dataclass(frozen=True, slots=True)
class Surveyed:
    """The latest counts of all apps together."""

    due: int
    held: int
    due_tomorrow: int
    oldest_count: datetime | None  # when the app was counted whose turn was longest ago; None: nothing was


def survey(*, now: datetime, seconds: float = SECONDS) -> int:
    """Count each app anew, those first whose turn was longest ago. Returns how many it came to."""
    until = time.monotonic() + seconds
    apps = list(App.objects.order_by(F("survey__taken_at").asc(nulls_first=True), "pk"))
    done = 0
    for place in range(0, len(apps), AT_ONCE):
        if time.monotonic() > until:
            break
        done += _survey(apps[place : place + AT_ONCE], now)
    return done


def surveyed() -> Surveyed:
    """What the surveys of all apps say."""
    found = Survey.objects.aggregate(
        due=Sum("due", default=0), held=Sum("held", default=0), due_tomorrow=Sum("due_tomorrow", default=0),
        oldest_count=Min("taken_at"),
    )  # fmt: skip
    return Surveyed(**found)


def _survey(apps: list[App], now: datetime) -> int:
    lags = measuring.lags(apps, at=now)
    present, tomorrow = due.of_apps(apps, at=now), due.of_apps(apps, at=now + _DAY)
    taken = [_of(app.pk, lags.get(app.pk), present[app.pk], tomorrow[app.pk], now) for app in apps]
    Survey.objects.bulk_create(
        taken, update_conflicts=True, unique_fields=["app"], update_fields=list(_COLUMNS)
    )
    return len(taken)


def _of(app_id: str, lag: timedelta | None, parts: list[Due], tomorrow: list[Due], now: datetime) -> Survey:
    waiting = [rows for part in parts for rows in _rows(part)] if lag else []
    held = [part.held for part in parts if part.held is not None]
    becoming = [
        rows for part, later in zip(parts, tomorrow, strict=True) for rows in _rows(_becoming(part, later))
    ]
    numbers = iter(_counted([*waiting, *held, *becoming]))
    return Survey(
        app_id=app_id,
        due=sum(islice(numbers, len(waiting))),
        held=sum(islice(numbers, len(held))),
        due_tomorrow=sum(numbers),
        overdue_since=now - lag if lag else None,
        taken_at=now,
    )


def _becoming(part: Due, later: Due) -> Due:
    """What is due a day later and not yet; of what another policy rules by then, all of it."""
    if part.rows.model is not later.rows.model or part.rows.query.is_empty():
        return later
    return replace(later, rows=later.rows.filter(**{f"{later.age}__gte": part.cutoff}))


def _rows(part: Due) -> list[QuerySet[Any]]:
    """All that goes, be it with its conversation."""
    return [part.messages(), part.events(), part.rows] if part.takes_conversations else [part.rows]


def _counted(all_rows: list[QuerySet[Any]]) -> list[int]:
    """Asked in one go where that is quick, else one after the other: what is known by then has to do."""
    numbers = Watch(SECONDS_FOR_AN_APP).ask(lambda: [rows.count() for rows in all_rows])
    if numbers is not None:
        return numbers
    watch = Watch(SECONDS_FOR_AN_APP)
    return [watch.count(rows).number for rows in all_rows]
