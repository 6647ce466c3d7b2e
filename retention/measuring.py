"""How late the purge is, for those who watch over the house."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from django.db.models import OuterRef, Subquery

from projects.models import App
from retention import due, holding
from retention.deciding import ruling
from retention.deciding.ruling import Policy
from retention.due import Due
from retention.models import Purge, PurgeBatch, Survey
from retention.policies import EXPIRED, EXPIRED_EVENTS, PolicyType, Scope

# wire contract, "retention policy": the clean-up runs once in 24 hours
LATEST: Final = timedelta(hours=24)
LOOKED_AT: Final = 100  # batches, for the pace
GLANCED_AT: Final = 10  # apps under holds
BETWEEN_RUNS: Final = timedelta(seconds=30)  # what lies so far apart is not of one run

_Terms = tuple[Scope, PolicyType, int]


def lags(apps: Iterable[App], *, at: datetime) -> dict[str, timedelta]:
    """For how long the oldest row of each app has been due, by app id; an app with nothing due is left out.

    A few queries for all apps, and one look at an index for each; of those under a hold, a query for each part.
    """
    held, free = _by_holds(list(apps))
    return _longest([*_lags_of_free(free, at), *_lags_of_held(held, at)])


def lags_at_a_glance(*, at: datetime) -> dict[str, timedelta]:
    """The same of every app, in as many queries however many there are.

    Of many apps under holds some are looked at; of the others it is what the last survey saw.
    """
    held, free = _by_holds(list(App.objects.all()))
    lags = [*_lags_of_free(free, at), *_lags_of_held(held[:GLANCED_AT], at)]
    told = Survey.objects.filter(app__in=held[GLANCED_AT:], overdue_since__isnull=False)
    since = told.values_list("app_id", "overdue_since")
    return _longest([*lags, *((app_id, at - moment) for app_id, moment in since if moment)])


def longest_lag(*, at: datetime) -> timedelta:
    """Of all apps."""
    return max(lags_at_a_glance(at=at).values(), default=timedelta(0))


def is_in_time(*, at: datetime) -> bool:
    """Whether nothing has been due for more than 24 hours."""
    return longest_lag(at=at) <= LATEST


def pace() -> int | None:
    """Rows a second that the purge deleted when it was last at work, its pauses included; None: that is not known."""
    columns = ("written_at", "messages", "conversations", "events")
    latest = PurgeBatch.objects.filter(purge__kind=Purge.Kind.RETENTION).order_by("-id").values_list(*columns)
    rows, spent = 0, timedelta(0)
    for (ended, *gone), (began, *_) in pairwise(latest[:LOOKED_AT]):
        if ended - began < BETWEEN_RUNS:
            rows, spent = rows + sum(gone), spent + (ended - began)
    return round(rows / spent.total_seconds()) or None if spent else None


def _by_holds(apps: list[App]) -> tuple[list[App], list[App]]:
    """Those that a hold keeps something of, and the others."""
    holds = holding.over(apps)
    return [app for app in apps if holds[app.pk]], [app for app in apps if not holds[app.pk]]


def _lags_of_held(apps: list[App], at: datetime) -> Iterator[tuple[str, timedelta]]:
    for app_id, parts in due.of_apps(apps, at=at).items():
        yield from ((app_id, lag) for part in parts if (lag := part.lag()) is not None)


def _lags_of_free(apps: list[App], at: datetime) -> Iterator[tuple[str, timedelta]]:
    """Where no hold has to be asked, apps with one policy are asked together; and so are deleted ones."""
    alike: defaultdict[_Terms | None, list[str]] = defaultdict(list)
    alike[None] = [app.pk for app in apps if app.deleted_at]
    living = [app for app in apps if not app.deleted_at]
    policies = ruling.in_force_of(living, at=at)
    for app in living:
        for scope in Scope:
            policy = policies[app.pk, scope]
            alike[policy.scope, policy.retention_type, policy.ttl_days].append(app.pk)
    for terms, app_ids in alike.items():
        for part in _parts_under(terms, at):
            yield from _lags_in(part, app_ids)


def _parts_under(terms: _Terms | None, at: datetime) -> list[Due]:
    """What is due of each app in a query of apps; None: it was deleted."""
    each: Any = OuterRef("pk")
    if terms is None:
        return due.of_deleted(each, at=at)
    scope, retention_type, ttl_days = terms
    cutoff = Policy(scope=scope, retention_type=retention_type, ttl_days=ttl_days).cutoff(at)
    if cutoff is None:
        return []
    kinds = (EXPIRED[retention_type], EXPIRED_EVENTS[retention_type])
    return [Due(expired(each, scope, cutoff), cutoff) for expired in kinds]


def _lags_in(part: Due, app_ids: list[str]) -> Iterator[tuple[str, timedelta]]:
    if part.rows.query.is_empty() or not app_ids:
        return
    oldest = part.rows.order_by(part.age).values(part.age)[:1]
    late = App.objects.filter(pk__in=app_ids).annotate(oldest=Subquery(oldest)).exclude(oldest=None)
    for app_id, moment in late.values_list("pk", "oldest"):
        yield app_id, part.cutoff - moment


def _longest(lags: Iterable[tuple[str, timedelta]]) -> dict[str, timedelta]:
    longest: dict[str, timedelta] = {}
    for app_id, lag in lags:
        longest[app_id] = max(lag, longest.get(app_id, lag))
    return longest
