"""Messages as lists read them: a page is one statement, composed once for each shape of question, and prepared."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from conversations import payloads, visibility
from conversations.models import Conversation, Message
from conversations.visibility import Limit, Within
from outbox.questions import Question, Term
from projects import ids
from projects.models import App, ProcessingMode
from projects.requests import paging
from projects.requests.paging import Page

NEWEST_FIRST: Final = ("-accept_time", "-id")
# Filters by an id, and in what each of them finds the messages of one app alone.
_IDS: Final = {"conversation": Conversation, "app": App, "conversation__contact": None}
_KEY: Final = ("after_accept_time", "after_id")
_SHAPES: Final = 256  # that are kept composed: clients ask in a few

COLUMNS: Final = (*payloads.MESSAGE, "conversation__contact_id")
_Row: Any = namedtuple("_Row", COLUMNS)  # type: ignore[misc]


def page(
    project_id: UUID, mode: ProcessingMode, filters: Mapping[str, Any], asked: Page
) -> tuple[list[Any], str]:
    """The messages that pass these filters, newest first, and the next page's token. Rows have `COLUMNS`."""
    if mode == ProcessingMode.DISPATCH:  # few ask
        return asked.cut(told(matching(project_id, mode, filters)), by=NEWEST_FIRST)
    key = asked.key(Message, by=NEWEST_FIRST)
    if not _is_possible(filters):
        return [], ""
    limits, terms = visibility.placed(visibility.limits(project_id, mode, within=_narrowest(filters)))
    question = _question(limits, tuple(filters), asked.size, bool(key))
    rows = question.ask({"project": project_id, **terms, **filters, **dict(zip(_KEY, key, strict=False))})
    return asked.told([*map(_Row._make, rows)], by=NEWEST_FIRST)


def matching(project_id: UUID, mode: ProcessingMode, filters: Mapping[str, Any]) -> QuerySet[Message]:
    """The messages that pass these filters, by Django's lookups; an id that is none of ours finds nothing."""
    if not _is_possible(filters):
        return Message.objects.none()
    return visibility.messages(project_id, mode, within=_narrowest(filters)).filter(**filters)


def told(rows: QuerySet[Message]) -> QuerySet[Message, Any]:
    """What is told of them: columns and no instances."""
    return rows.values_list(*COLUMNS, named=True)


@lru_cache(_SHAPES)
def _question(limits: Sequence[Limit], lookups: Sequence[str], size: int, goes_on: bool) -> Question:
    """For all that ask alike. The size is no term: the server's plan depends on it."""
    project = Term("project", _column("project"))
    rows: QuerySet[Message] = visibility.messages_by(limits, project, ProcessingMode.CONVERSATION)
    rows = rows.filter(**{lookup: Term(lookup, _column(lookup)) for lookup in lookups})
    if goes_on:
        place = [Term(name, _column(name.removeprefix("after_"))) for name in _KEY]
        rows = paging.beyond(rows, place, by=NEWEST_FIRST)
    return Question(rows.values_list(*COLUMNS).order_by(*NEWEST_FIRST)[: size + 1])


def _is_possible(filters: Mapping[str, Any]) -> bool:
    return all(ids.is_ulid(filters[name]) for name in _IDS if name in filters)


def _column(lookup: str) -> Any:
    return Message._meta.get_field(lookup.partition("__")[0])


def _narrowest(filters: Mapping[str, Any]) -> Within | None:
    return next(
        (Within(kind, filters[name]) for name, kind in _IDS.items() if kind and name in filters), None
    )
