"""What stands in the inbox, and how a source of it looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from projects.models import Project
from projects.roles import Reach, Right
from retention.watching import Watch

AT_MOST: Final = 1000  # of one source: whoever has more begins with these, and is told so
LOOK: Final = "Look"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that a person must do."""

    word: str  # what it is, in two or three words
    tone: str  # of its badge: bad, busy or quiet
    subject: str  # the app or whatever it is about
    project: Project | None  # None: the installation's
    why: str
    since: datetime | None = None
    due_at: datetime | None = None
    url: str
    action: str  # what the link says to who may act; others look

    def is_overdue(self, now: datetime) -> bool:
        """Whether its day has passed."""
        return self.due_at is not None and self.due_at < now


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks into the inbox, and when."""

    user: Any
    reach: Reach
    now: datetime
    watch: Watch  # for questions that take long where there is much

    def seen(self, rows: QuerySet[Any], *, project: str) -> QuerySet[Any]:
        """Those of the rows that belong to the person's projects; `project` is the way there."""
        return self.all_seen(rows, project=project)[:AT_MOST]

    def all_seen(self, rows: QuerySet[Any], *, project: str) -> QuerySet[Any]:
        """The same, however many: for who looks among them for what a person must see."""
        if not self.reach.is_unlimited:
            rows = rows.filter(**{f"{project}__in": self.reach.project_ids()})
        return rows.select_related(project)

    def may(self, right: Right, project_id: UUID) -> bool:
        """Whether the person has the right in the project."""
        return self.reach.may(right, project_id)

    def way(self, action: str, project_id: UUID, *, right: Right = Right.RETENTION) -> str:
        """The action, for who has the right to it in the project; for others a look."""
        return action if self.may(right, project_id) else LOOK

    def projects(self) -> QuerySet[Project]:
        """Those that the person sees."""
        return self.reach.projects().order_by("name", "pk")[:AT_MOST]


# Everything of one kind that the visitor sees. A further kind is a function, and its line in `page.SOURCES`.
Source = Callable[[Visitor], Iterable[Item]]
