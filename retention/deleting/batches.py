"""One batch of the purge: a small transaction that looks again at everything before it deletes."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db import OperationalError, connection, transaction
from psycopg import errors

from projects import ids
from projects.models import App
from retention import due
from retention.deleting import windows
from retention.deleting.taking import Take
from retention.due import Count, Due
from retention.models import Purge, PurgeHead, PurgeOverride
from retention.proving import ledger
from retention.proving.ledger import Deletion

# A batch that cannot get on gives up; the row and the policy will still be there at the next one.
_OPEN = """
    SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', '10s', true),
           set_config('plan_cache_mode', 'force_generic_plan', true), clock_timestamp()
"""
_HASTY: Final = "100ms"  # for a batch that waits for whoever has locked one of its rows
_CAREFUL: Final = "2s"  # for one that leaves such rows alone
# Who changes a policy or places a hold locks this row too, so each waits for the other; writing does not.
_LOCK_APP = "SELECT * FROM projects_app WHERE id = %s FOR SHARE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How far a run through one part of an app has come."""

    part: int  # of `due.of`
    at: datetime  # what is taken for the time
    version: Hashable = None  # of what decides what is due
    rows: Due | None = None  # what is due, as long as that is the version
    since: datetime | None = None  # the age that was reached
    target: int = windows.TARGET  # rows of a batch
    purge: Purge | None = None  # the ledger's name for the run, once it has deleted anything
    override: PurgeOverride | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch deleted, and how the run goes on."""

    count: Count
    course: Course
    is_last: bool = True  # there is nothing beyond, or nothing that could be had


def purge(app_id: str, course: Course) -> Batch:
    """Delete the next window of one part of what is due, and put it on record.

    The last one may be empty: nothing is left, others hold all that is, or another purger is at this app.
    """
    try:
        return _purge(app_id, course, is_patient=True)
    except OperationalError as error:
        if not isinstance(error.__cause__, errors.LockNotAvailable):
            raise
    return _purge(app_id, course, is_patient=False)


def lock_app(app_id: str) -> App:
    """The app, with its policies and holds as they are until the transaction ends."""
    (app,) = App.objects.raw(_LOCK_APP, [ids.to_uuid(app_id)])
    return app


@transaction.atomic
def _purge(app_id: str, course: Course, *, is_patient: bool) -> Batch:
    started = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [_HASTY if is_patient else _CAREFUL])
        now: datetime = cursor.fetchone()[3]
    head = ledger.lock_if_free(app_id)
    if head is None:
        return Batch(Count(), course)
    app = lock_app(app_id)
    course, rows = _up_to_date(course, app)
    key = f"{course.part} {rows.age}"
    width = timedelta(seconds=head.widths.get(key, windows.FIRST_WIDTH.total_seconds()))
    window = windows.first(rows, since=course.since, width=width, target=course.target)
    if window is None:
        return Batch(Count(), course)
    take = Take(rows, window, app, target=course.target, is_patient=is_patient)
    deletion, reached = take.all(at=course.at)
    seconds = time.monotonic() - started
    width = windows.next_width(window.width, taken=len(deletion.all), target=course.target, seconds=seconds)
    head.moment, head.widths[key] = course.at, width.total_seconds()
    course, is_last = replace(course, since=reached), rows.policy is not None and reached > rows.cutoff
    if not deletion.count:
        head.save()
        return Batch(Count(), course, is_last)
    course = replace(course, purge=_put_on_record(head, app, rows, deletion, course, now))
    return Batch(deletion.count, course, is_last)


def _up_to_date(course: Course, app: App) -> tuple[Course, Due]:
    """With what is due by the policies and holds of this moment: they can change between two batches alone."""
    version = due.version(app)
    if course.rows and course.version == version:
        return course, course.rows
    rows = due.part_of(app, course.part, at=course.at)
    return replace(course, version=version, rows=rows), rows


def _put_on_record(
    head: PurgeHead, app: App, rows: Due, deletion: Deletion, course: Course, now: datetime
) -> Purge:
    purge = course.purge
    if purge and not ledger.is_under(purge, rows.policy):
        ledger.end(purge, Purge.State.SUPERSEDED, now=now)
        purge = None
    purge = purge or ledger.begin(app, rows.policy, at=course.at, override=course.override, now=now)
    ledger.append(head, purge, deletion, now=now)
    return purge
