"""The purge: deletes what the policies in force no longer keep, in small batches."""

from __future__ import annotations

import getpass
import logging
import math
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Final

from django.db import DatabaseError, connection

from projects import clock
from projects.models import App
from retention import due, measuring
from retention.deleting import batches, ticking, windows
from retention.deleting.batches import Batch, Course
from retention.deleting.ticking import Watch
from retention.due import Count
from retention.models import Purge, PurgeOverride
from retention.proving import ledger
from retention.tending.tallying import Brake, Tally

logger = logging.getLogger(__name__)

BUDGET_SECONDS: Final = 240.0  # of the 600 between two ticks
SECONDS_A_DAY: Final = BUDGET_SECONDS * 86_400 / 600
DUTY: Final = 0.25  # the share of its time that a run works: writers hardly notice that
QUOTA: Final = 20  # batches of one part of an app, before the next app has its turn
TOLERANCE: Final = timedelta(seconds=60)  # between the database's clock and ours
PATIENCE: Final = (
    3  # batches of an app that may fail one after the other, before it rests until the next tick
)
REPLICA_PATIENCE: Final = timedelta(seconds=10)  # that a replica may be behind
REPLAY_LAG: Final = "SELECT coalesce(max(replay_lag), '0') FROM pg_stat_replication"
WATCH: Final = Watch()
WAIT_SECONDS: Final = 0.1  # until an overriding run looks again at rows that others hold


# Refused
# ├── AheadOfClock     wait, give an override, or do a dry run
# ├── ClocksDisagree   set the clocks right, or give an override
# └── ClockLeapt       see that the clock is right, then give an override once


class Refused(Exception):
    """Nothing was deleted: by this time too much would go."""


class AheadOfClock(Refused):
    """The given time has not come."""


class ClocksDisagree(Refused):
    """The database's clock is not that of this machine: one of them has jumped."""


class ClockLeapt(Refused):
    """The database's clock was set forward by more than five minutes since the last run."""


@dataclass(slots=True)
class Purged:
    """What went, or with a dry run would go, by app id; apps without anything are left out."""

    apps: dict[str, Count] = field(default_factory=dict)

    @property
    def messages(self) -> int:
        """All of them, those that went with their conversation included."""
        return sum(count.messages for count in self.apps.values())

    @property
    def conversations(self) -> int:
        """Those that went whole."""
        return sum(count.conversations for count in self.apps.values())


def run(*, now: datetime, app: App | None = None, override: str = "", dry_run: bool = False) -> Purged:
    """Delete what is due at `now`, of one app or of all; those longest overdue come first.

    It ends when nothing is left, or only what others hold, or after 240 seconds: the next tick goes on.
    With the reason for an `override`, which is recorded, it ends when nothing is left. Raises Refused.
    """
    apps = [app] if app else list(App.objects.order_by("pk"))
    if dry_run:
        return Purged({app.pk: count for app in apps if (count := _count(app, now))})
    if override.strip():
        recorded = _record(override.strip(), now=now, app=app)
        return _Run(now, pace=_Pace(seconds=math.inf, duty=1.0), override=recorded).through(apps)
    try:
        _refuse_a_wrong_clock(now)
    except (ClocksDisagree, ClockLeapt):
        tally = Tally()
        tally.braked(Brake.CLOCK)
        tally.keep()
        raise
    return _Run(now, pace=_Pace(seconds=BUDGET_SECONDS, duty=DUTY)).through(apps)


def _count(app: App, at: datetime) -> Count:
    return sum((part.count() for part in due.of(app, at=at)), Count())


def _refuse_a_wrong_clock(now: datetime) -> None:
    told = clock.now()
    if now > told:
        raise AheadOfClock(f"{now.isoformat()} has not come: the database's clock says {told.isoformat()}.")
    if abs(told - datetime.now(UTC)) > TOLERANCE:
        raise ClocksDisagree(f"The database's clock says {told.isoformat()}, this machine's another time.")
    if not WATCH.trusts(told, at=ticking.ticked()):
        raise ClockLeapt(f"The database's clock has leapt forward, to {told.isoformat()}.")


def _record(why: str, *, now: datetime, app: App | None) -> PurgeOverride:
    taken = PurgeOverride.objects.create(why=why, moment=now, app=app, run_by=_operator(), run_at=clock.now())
    logger.warning("%s overrides the purge's clock: %s", taken.run_by, taken)
    return taken


def _operator() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return f"uid {os.getuid()}"


def _replicas_keep_up() -> bool:
    """Whether every replica has written what was deleted so far; what a role may not see counts as kept up."""
    with connection.cursor() as cursor:
        cursor.execute(REPLAY_LAG)
        return bool(cursor.fetchone()[0] <= REPLICA_PATIENCE)


class _Pace:
    """How long a run may go on, and how much of that time it works."""

    def __init__(self, *, seconds: float, duty: float) -> None:
        self._until = time.monotonic() + seconds
        self._rest = 1 / duty - 1

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._until

    def rest_after(self, spent: float) -> None:
        time.sleep(spent * self._rest)


class _Run:
    """One run through apps, in rounds: each has its quota, so a large one keeps nobody waiting."""

    def __init__(self, at: datetime, *, pace: _Pace, override: PurgeOverride | None = None) -> None:
        self._at = at
        self._pace = pace
        self._override = override  # with one, it goes on until nothing is left
        self._counts: defaultdict[str, Count] = defaultdict(Count)
        self._failures: defaultdict[str, int] = defaultdict(int)  # of an app, one after the other
        self._courses: dict[tuple[str, int], Course] = {}
        self._tally = Tally()

    def through(self, apps: Sequence[App]) -> Purged:
        while waiting := _longest_overdue_first(apps, self._at):
            moving = [app for app, lag in waiting if not self._pace.is_over and self._moves(app, lag)]
            if self._pace.is_over:
                break
            if not moving and self._override:
                time.sleep(WAIT_SECONDS)
            apps = [app for app, _ in waiting] if self._override else moving
        self._close()
        return Purged(dict(self._counts))

    def _moves(self, app: App, lag: timedelta) -> bool:
        """Whether the app's turn deleted anything. What fails there does not stop the other apps."""
        moved = False
        try:
            for count in self._turn(app, windows.target(lag)):
                self._failures[app.pk] = 0
                if count:
                    self._counts[app.pk] += count
                    moved = True
        except DatabaseError:
            self._failures[app.pk] += 1
            has_failed = self._failures[app.pk] == PATIENCE
            if self._override and has_failed:
                raise
            logger.warning("A batch of the purge of app %s failed.", app.pk, exc_info=True)
            if has_failed:
                self._tally.braked(Brake.FAILING)
            return not has_failed  # until the next tick
        return moved

    def _turn(self, app: App, target: int) -> Iterator[Count]:
        """The app's batches of one round; none while a replica is behind: the next tick goes on."""
        if not (self._override or _replicas_keep_up()):
            self._tally.braked(Brake.REPLICA)
            return
        for part in _parts_with_something(app, self._at):
            course = self._courses.get((app.pk, part)) or Course(
                part=part, at=self._at, override=self._override
            )
            course = replace(course, since=None, target=target)
            for _ in range(QUOTA):
                started = time.monotonic()
                batch = batches.purge(app.pk, course)
                course = self._courses[app.pk, part] = batch.course
                self._count(batch, seconds=time.monotonic() - started, target=target)
                yield batch.count
                if self._pace.is_over:
                    return
                if batch.is_last:
                    break
                self._pace.rest_after(time.monotonic() - started)

    def _count(self, batch: Batch, *, seconds: float, target: int) -> None:
        if batch.count:
            self._tally.took(seconds, rows=batch.count.rows)
            if windows.is_slow(seconds, target=target):
                self._tally.braked(Brake.SLOW)

    def _close(self) -> None:
        self._tally.keep()
        now = clock.now()
        for course in self._courses.values():
            if course.purge:
                ledger.end(course.purge, Purge.State.FINISHED, now=now)


def _parts_with_something(app: App, at: datetime) -> list[int]:
    """Numbers of the parts of `due.of`."""
    return [number for number, part in enumerate(due.of(app, at=at)) if part.lag() is not None]


def _longest_overdue_first(apps: Sequence[App], at: datetime) -> list[tuple[App, timedelta]]:
    """Those of the apps that have something due, and for how long the oldest of it has been."""
    lags = measuring.lags(apps, at=at)
    return sorted(((app, lags[app.pk]) for app in apps if app.pk in lags), key=itemgetter(1), reverse=True)
