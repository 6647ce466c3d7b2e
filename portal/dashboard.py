"""The portal's first page: of each project the caller sees, what goes on and what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count
from django.http import HttpRequest

from conversations.models import Direction, Message, Status
from portal import inbox
from projects import clock
from projects.models import App, ChannelCredential, CredentialStatus, Project
from projects.roles import Right, reach
from retention.models import OwedItem
from webhooks.models import DeadLetter, Webhook

SHOWN_AT_MOST: Final = 12  # projects: more are in the list
SPAN: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One project, in numbers. Each number leads to its list."""

    project: Project
    apps: Sequence[App]
    received: int
    sent: Mapping[str, int] = field(default_factory=dict)  # by status
    failing_credentials: int
    disabled_webhooks: int
    dead_letters: int
    owed: Sequence[OwedItem]
    waiting: int  # in the inbox

    @property
    def sent_total(self) -> int:
        """Messages to contacts, whatever became of them."""
        return sum(self.sent.values())

    @property
    def is_well(self) -> bool:
        """Nothing waits for a person."""
        return not (self.named or self.dead_letters or self.waiting)

    @property
    def named(self) -> int:
        """What waits in the inbox and on the card itself."""
        return len(self.owed) + self.failing_credentials + self.disabled_webhooks

    @property
    def others(self) -> int:
        """What waits in the inbox alone."""
        return max(0, self.waiting - self.named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """The cards, when they were counted, and whether there are more projects."""

    cards: Sequence[Card]
    counted_at: datetime
    is_cut: bool
    may_set_up: bool
    waiting: int  # in the inbox


def dashboard(request: HttpRequest) -> Dashboard:
    """The caller's dashboard; a handful of queries, whatever the number of projects."""
    now, reached = clock.now(), reach(request)
    projects = list(reached.projects().order_by("name", "pk")[: SHOWN_AT_MOST + 1])
    shown = projects[:SHOWN_AT_MOST]
    waiting = inbox.items(request, now=now)
    by_project = Counter(item.project.pk for item in waiting if item.project)
    return Dashboard(
        cards=_cards(shown, waiting=by_project, since=now - SPAN),
        counted_at=now,
        is_cut=len(projects) > len(shown),
        may_set_up=reached.may(Right.OPERATION),
        waiting=len(waiting),
    )


def _cards(projects: Sequence[Project], *, waiting: Counter[UUID], since: datetime) -> list[Card]:
    project_ids = [project.pk for project in projects]
    apps: dict[UUID, list[App]] = {id_: [] for id_ in project_ids}
    for app in App.objects.living().filter(project__in=project_ids).order_by("display_name", "pk"):
        apps[app.project_id].append(app)
    messages = _messages(project_ids, since)
    owed: dict[UUID, list[OwedItem]] = {id_: [] for id_ in project_ids}
    of_living = {"app__project__in": project_ids, "app__deleted_at": None}
    for item in OwedItem.objects.filter(**of_living, state=OwedItem.State.OPEN).select_related("app"):
        owed[item.app.project_id].append(item)
    failing = _counted(ChannelCredential.objects.filter(**of_living, status=CredentialStatus.FAILING))
    disabled = _counted(Webhook.objects.filter(**of_living, disabled_at__isnull=False))
    dead = _counted(DeadLetter.objects.filter(**of_living, accept_time__gte=since))
    return [
        Card(
            project=project,
            apps=apps[project.pk],
            received=messages[project.pk, Direction.TO_APP, ""],
            sent={
                status: count
                for status in Status
                if (count := messages[project.pk, Direction.TO_CONTACT, status])
            },
            failing_credentials=failing[project.pk],
            disabled_webhooks=disabled[project.pk],
            dead_letters=dead[project.pk],
            owed=owed[project.pk],
            waiting=waiting[project.pk],
        )
        for project in projects
    ]


def _messages(project_ids: Sequence[UUID], since: datetime) -> Counter[Any]:
    """How many messages of the last day, by project, direction and status."""
    young = Message.objects.filter(project__in=project_ids, accept_time__gte=since)
    rows = young.values_list("project_id", "direction", "status").annotate(Count("pk")).order_by()
    return Counter({(project, direction, status): count for project, direction, status, count in rows})


def _counted(rows: Any) -> Counter[UUID]:
    return Counter(dict(rows.values_list("app__project_id").annotate(Count("pk")).order_by()))
