"""How late the purge is, for those who watch over the house."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from django.db.models import OuterRef, Subquery

from projects.models import App
from retention import due, holding
from retention.deciding import ruling
from retention.deciding.ruling import Policy
from retention.models import LegalHold, Purge, PurgeBatch
from retention.policies import EXPIRED, EXPIRED_EVENTS, PolicyType, Scope

# wire contract, "retention policy": the clean-up runs once in 24 hours
LATEST: Final = timedelta(hours=24)
LOOKED_AT: Final = 100  # batches, for the pace
BETWEEN_RUNS: Final = timedelta(seconds=30)  # what lies so far apart is not of one run

_Terms = tuple[Scope, PolicyType, int]


def lags(apps: Iterable[App], *, at: datetime) -> dict[str, timedelta]:
    """For how long the oldest row of each app has been due, by app id; an app with nothing due is left out.

    A few queries for all apps, and one look at an index for each.
    """
    apps = list(apps)
    policies, holds = ruling.in_force_of(apps, at=at), holding.over(apps)
    alike: defaultdict[_Terms, list[str]] = defaultdict(list)
    alone = [app for app in apps if app.deleted_at or holds[app.pk]]
    found = [
        (app_id, lag)
        for app_id, parts in due.of_apps(alone, at=at).items()
        for part in parts
        if (lag := part.lag()) is not None
    ]
    for app in set(apps).difference(alone):
        for scope in Scope:
            policy = policies[app.pk, scope]
            alike[scope, policy.retention_type, policy.ttl_days].append(app.pk)
    for terms, app_ids in alike.items():
        found += _lags_under(terms, app_ids, at)
    longest: dict[str, timedelta] = {}
    for app_id, lag in found:
        longest[app_id] = max(lag, longest.get(app_id, lag))
    return longest


def longest_lag(*, at: datetime) -> timedelta:
    """Of all apps."""
    return max(lags(App.objects.all(), at=at).values(), default=timedelta(0))


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


def active_holds() -> int:
    """Legal holds that are in force."""
    return LegalHold.objects.active().count()


def _lags_under(terms: _Terms, app_ids: list[str], at: datetime) -> list[tuple[str, timedelta]]:
    """Of apps with one policy, and without holds."""
    scope, retention_type, ttl_days = terms
    cutoff = Policy(scope=scope, retention_type=retention_type, ttl_days=ttl_days).cutoff(at)
    if cutoff is None:
        return []
    lags: list[tuple[str, timedelta]] = []
    each: Any = OuterRef("pk")
    for expired in (EXPIRED[retention_type], EXPIRED_EVENTS[retention_type]):
        part = due.Due(expired(each, scope, cutoff), cutoff)
        if not part.rows.query.is_empty():
            oldest = part.rows.order_by(part.age).values(part.age)[:1]
            late = App.objects.filter(pk__in=app_ids).annotate(oldest=Subquery(oldest)).exclude(oldest=None)
            lags += [(app_id, cutoff - moment) for app_id, moment in late.values_list("pk", "oldest")]
    return lags
