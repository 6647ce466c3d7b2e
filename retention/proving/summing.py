"""Summing up: what was deleted in a day and what needs looking after, for who answers for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Sum
from django.utils.formats import localize

from projects import ids
from retention import measuring
from retention.models import (
    ContactRemoval,
    LedgerCheck,
    LegalHold,
    OwedItem,
    PrivacyRequest,
    Purge,
    PurgeBatch,
)

DAY: Final = timedelta(days=1)
NAMED: Final = 20  # apps of which most went
_COUNTED: Final = ("messages", "conversations", "events", "held")


def of_the_day(*, now: datetime) -> str:
    """The last 24 hours in words: deletions by app and reason, then what is late, owed, asked for and held."""
    removed = ContactRemoval.objects.filter(removed_at__gt=now - DAY).count()
    contacts = f"Contacts deleted or merged: {removed:,}."
    return "\n".join([*_deleted(now - DAY), contacts, "", *_to_look_after(now)])


def _deleted(since: datetime) -> Iterator[str]:
    batches: Any = PurgeBatch.objects.filter(purge__in=Purge.objects.filter(pk__gte=ids.first_of(since)))
    if not batches.exists():
        yield "Nothing was deleted in the last 24 hours."
        return
    kinds = batches.values("purge__kind").annotate(**_sums(), number=Count("pk")).order_by("purge__kind")
    yield "Deleted in the last 24 hours:"
    for row in kinds:
        why = Purge.Kind(row["purge__kind"]).label.lower()
        yield f"- {why}: {_said(row)}; {row['number']:,} rows of the ledger"
    yield from _by_app(batches)


def _by_app(batches: Any) -> Iterator[str]:
    apps = batches.values("app", "app__display_name").annotate(**_sums()).order_by("-messages_gone", "app")
    named = list(apps[:NAMED])
    yield "By app:"
    yield from (f"- {row['app__display_name']} ({row['app']}): {_said(row)}" for row in named)
    if more := apps.count() - len(named):
        yield f"- and {more:,} more"


def _to_look_after(now: datetime) -> Iterator[str]:
    longest = measuring.longest_lag(at=now)
    late = f"for {longest.days} days and {longest.seconds // 3600} hours, at the longest"
    owed = OwedItem.objects.filter(state=OwedItem.State.OPEN, app__deleted_at=None)
    requests = PrivacyRequest.objects.open()
    yield "To look after:"
    yield f"- due and not deleted: {late if longest else 'nothing'}"
    yield f"- justifications owed: {owed.count()}, of which beyond their day: {owed.filter(due_at__lt=now).count()}"
    yield f"- persons' requests: {requests.count()}, of which beyond their day: {requests.filter(due_at__lt=now).count()}"
    yield f"- legal holds in force: {LegalHold.objects.active().count()}"
    yield f"- the whole ledger: {_checked()}"


def _checked() -> str:
    check = LedgerCheck.objects.latest_one()
    if check is None:
        return "not yet verified"
    verdict = "as it was written" if check.is_genuine else f"NOT GENUINE, {check.first_fault}"
    return f"{verdict}; {check.rows:,} rows and {check.anchors:,} anchors, verified on {localize(check.ended_at)}"


def _sums() -> dict[str, Sum]:
    return {f"{name}_gone": Sum(name) for name in _COUNTED}


def _said(row: dict[str, int]) -> str:
    return ", ".join(f"{row[f'{name}_gone']:,} {name}" for name in _COUNTED)
