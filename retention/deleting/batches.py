"""One batch of the purge: a small transaction that looks again at everything before it deletes."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db import DEFAULT_DB_ALIAS, OperationalError, transaction
from psycopg import errors

from outbox import statements
from projects import ids
from projects.models import App
from retention import due
from retention.deleting import windows
from retention.deleting.sweeping import Sweep, Swept
from retention.deleting.taking import Take
from retention.deleting.windows import Window
from retention.due import Count, Due
from retention.models import Purge, PurgeHead, PurgeOverride
from retention.proving import ledger
from retention.proving.ledger import Deletion

# A batch that cannot get on gives up; the row and the policy will still be there at the next one. It waits for no disk:
# if the server dies at once, rows and ledger are as before. Who is told of anything waits, as does the run's end.
_OPEN = """
    SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', '10s', true),
           set_config('plan_cache_mode', 'force_generic_plan', true),
           set_config('synchronous_commit', 'off', true),
           clock_timestamp(), pg_snapshot_xmin(pg_current_snapshot())::text
"""
_HASTY: Final = "100ms"  # for a batch that waits for whoever has locked one of its rows
_CAREFUL: Final = "2s"  # for one that leaves such rows alone
# Who changes a policy or places a hold locks this row too, so each waits for the other; writing does not.
_LOCK_APP: Final = """
    SELECT id, project_id, announces_expiry, deleted_at FROM projects_app WHERE id = %s FOR SHARE
"""
# In the model's order, as from_db wants them.
_LOCKED: Final = ["id", "project_id", "announces_expiry", "deleted_at"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How far a run through one part of an app has come."""

    part: int  # of `due.of`
    at: datetime  # what is taken for the time
    version: Hashable = None  # of what decides what is due
    sweep: Sweep | None = None  # of what is due, as long as that is the version
    since: datetime | None = None  # the age that was reached
    # The oldest transaction that was under way when all that is older was looked for; "": something of it may be left.
    floor: str = ""
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


@dataclass(frozen=True, slots=True)
class Begun:
    """A batch that nothing can overtake any more: its app, with policies and holds as they stay until its end."""

    app: App
    now: datetime
    floor: str  # the oldest transaction that is under way
    is_patient: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """A window, what was deleted of it, and how the run goes on."""

    deletion: Deletion
    window: Window
    course: Course


def begin(app_id: str, *, is_patient: bool) -> Begun:
    """Begin a batch in the caller's transaction."""
    ((*_, now, floor),) = statements.run(_OPEN, [_HASTY if is_patient else _CAREFUL])
    ((id_, *terms),) = statements.run(_LOCK_APP, [ids.to_uuid(app_id)])
    app = App.from_db(DEFAULT_DB_ALIAS, _LOCKED, [ids.from_uuid(id_), *terms])
    return Begun(app, now, floor, is_patient)


def up_to_date(course: Course, begun: Begun) -> tuple[Course, Sweep]:
    """With what is due by the policies and holds of this moment: they can change between two batches alone."""
    course = course if course.since else replace(course, floor=begun.floor)
    version = due.version(begun.app)
    if course.sweep and course.version == version:
        return course, course.sweep
    sweep = Sweep(begun.app.pk, due.part_of(begun.app, course.part, at=course.at))
    # What was held until now may be older than what the run has reached.
    floor = "" if course.since else course.floor
    return replace(course, version=version, sweep=sweep, floor=floor), sweep


def take(begun: Begun, sweep: Sweep, course: Course, *, width: timedelta) -> Taken | None:
    """Delete the next window; None: there is none."""
    window, swept = _next_window(begun, sweep, course, width)
    if window is None:
        return None
    floor = course.floor if swept else ""  # what is skipped now is older than all that comes
    deletion, reached = Take(
        sweep, window, swept, begun.app, course.target, is_patient=begun.is_patient, floor=floor
    ).all(at=course.at)
    return Taken(deletion, window, replace(course, since=reached, floor=floor))


def _next_window(
    begun: Begun, sweep: Sweep, course: Course, width: timedelta
) -> tuple[Window | None, Swept | None]:
    if begun.is_patient and not sweep.part.takes_conversations:
        return sweep.next(since=course.since, width=width, target=course.target)
    return windows.first(sweep.part, since=course.since, width=width, target=course.target), None


@transaction.atomic
def _purge(app_id: str, course: Course, *, is_patient: bool) -> Batch:
    started = time.monotonic()
    begun = begin(app_id, is_patient=is_patient)  # first, as everybody does who adds to the chain
    head = ledger.lock_if_free(app_id)
    if head is None:
        return Batch(Count(), course)
    course, sweep = up_to_date(course, begun)
    key = f"{course.part} {sweep.part.age}"
    width = timedelta(seconds=head.widths.get(key, windows.FIRST_WIDTH.total_seconds()))
    taken = take(begun, sweep, course, width=width)
    if taken is None:
        return Batch(Count(), course)
    seconds = time.monotonic() - started
    width = windows.next_width(
        taken.window.width, taken=len(taken.deletion.all), target=course.target, seconds=seconds
    )
    head.moment, head.widths[key] = course.at, width.total_seconds()
    is_last = sweep.part.policy is not None and (taken.course.since or begun.now) > sweep.part.cutoff
    if not taken.deletion.count:
        ledger.keep(head)
        return Batch(Count(), taken.course, is_last)
    purge = _put_on_record(head, begun, sweep.part, taken)
    return Batch(taken.deletion.count, replace(taken.course, purge=purge), is_last)


def _put_on_record(head: PurgeHead, begun: Begun, part: Due, taken: Taken) -> Purge:
    course = taken.course
    purge = course.purge
    if purge and not ledger.is_under(purge, part.policy):
        ledger.end(purge, Purge.State.SUPERSEDED, now=begun.now)
        purge = None
    purge = purge or ledger.begin(
        begun.app, part.policy, at=course.at, override=course.override, now=begun.now
    )
    ledger.append(head, purge, taken.deletion, now=begun.now)
    return purge
