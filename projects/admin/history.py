"""What was changed in a row of the configuration: who, from where, from what to what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from django.db.models import Model

LISTED_AT_MOST: Final = 500
WORDS: Final = {"insert": "Created", "update": "Changed", "delete": "Deleted"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One column, before and after."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """One write to the row. An update without a visible difference changed a secret, which is never kept."""

    at: datetime
    what: str
    differences: tuple[Difference, ...]
    context: Mapping[str, Any]  # as `projects.audit` stores it; empty: a command or a task

    @property
    def is_of_secret(self) -> bool:
        """Whether only a column that history leaves out was changed."""
        return self.what == WORDS["update"] and not self.differences


def of(row: Model) -> list[Change]:
    """The row's changes, newest first; none where its table is not audited."""
    event_model: Any = getattr(type(row), "pgh_event_model", None)
    if event_model is None:
        return []
    events = event_model.objects.filter(pgh_obj_id=row.pk).select_related("pgh_context").order_by("-pgh_id")
    newest_first = list(events[: LISTED_AT_MOST + 1])
    pairs = pairwise([*newest_first, None])
    return [_change(event, before) for event, before in pairs][:LISTED_AT_MOST]


def _change(event: Any, before: Any | None) -> Change:
    return Change(
        at=event.pgh_created_at,
        what=WORDS.get(event.pgh_label, event.pgh_label),
        differences=tuple(_differences(event, before)) if before else (),
        context=event.pgh_context.metadata if event.pgh_context else {},
    )


def _differences(event: Any, before: Any) -> Iterator[Difference]:
    for field in event._meta.fields:
        if field.name.startswith("pgh_"):
            continue
        was, became = field.value_from_object(before), field.value_from_object(event)
        if was != became:
            yield Difference(str(field.verbose_name), was, became)
