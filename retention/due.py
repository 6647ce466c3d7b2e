"""What is due: the one predicate that the purge, its dry run, the preview and the lag all ask."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from django.db.models import Q, QuerySet

from conversations.models import Conversation, ConversationEvent, Message
from outbox import statements
from projects import ids
from projects.models import App
from retention import holding
from retention.deciding import ruling
from retention.deciding.ruling import Policy
from retention.holding import Holds
from retention.policies import EXPIRED, EXPIRED_EVENTS, Scope

Statement = tuple[str, tuple[Any, ...]]  # with its parameters

_ADDED: Final = """
    SELECT ARRAY[
        (SELECT count(*) FROM retention_retentionpolicy WHERE app_id = %(app)s),
        (SELECT count(*) FROM retention_legalhold WHERE app_id = %(app)s),
        (SELECT count(*) FROM retention_legalhold WHERE project_id = %(project)s AND app_id IS NULL),
        (SELECT count(*) FROM retention_legalholdrelease AS release JOIN retention_legalhold AS hold
         ON release.hold_id = hold.id WHERE hold.project_id = %(project)s)
    ]
"""


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows; messages and events include those that go with their conversation."""

    messages: int = 0
    conversations: int = 0
    events: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.messages + other.messages,
            self.conversations + other.conversations,
            self.events + other.events,
        )

    def __bool__(self) -> bool:
        return bool(self.rows)

    @property
    def rows(self) -> int:
        """All together."""
        return self.messages + self.conversations + self.events


@dataclass(frozen=True)
class Due:
    """Rows that may go for one reason: single messages, single events, or whole conversations."""

    rows: QuerySet[Any]
    cutoff: datetime  # all are older
    policy: Policy | None = None  # None: their app was deleted
    every: QuerySet[Any] | None = None  # with what legal holds keep of it; None: there are no holds
    holds: Holds | None = None
    talks: QuerySet[Conversation] | None = None  # where all that is older goes: the conversations it goes of

    @cached_property
    def held(self) -> QuerySet[Any] | None:
        """What legal holds keep of it, apart from the rows; None: there are no holds."""
        return None if self.every is None or self.holds is None else self.holds.keep(self.every)

    @cached_property
    def unnamed(self) -> QuerySet[Conversation]:
        """Conversations of which no hold keeps anything, and so nothing is left that is older."""
        if self.talks is None:
            return Conversation.objects.none()
        return self.holds.beyond(self.talks) if self.holds else self.talks

    @property
    def takes_conversations(self) -> bool:
        """Whether whole conversations go."""
        return self.rows.model is Conversation

    @property
    def takes_events(self) -> bool:
        """Whether single events go."""
        return self.rows.model is ConversationEvent

    @property
    def is_dispatched(self) -> bool:
        """Whether what goes has no conversation."""
        return self.policy is not None and self.policy.scope == Scope.DISPATCH

    @property
    def age(self) -> str:
        """The column that decides."""
        return "expiry_anchor" if self.takes_conversations else "accept_time"

    @cached_property
    def ages(self) -> Statement:
        """Gives the age of every row. Compiled once: a run looks at it with each batch."""
        return _ages(self.rows, self.age)

    @cached_property
    def ages_with_held(self) -> Statement:
        """The same of what holds keep, too."""
        return self.ages if self.every is None else _ages(self.every, self.age)

    def messages(self) -> QuerySet[Message]:
        """Every message that goes, be it with its conversation."""
        return self._of(Message)

    def events(self) -> QuerySet[ConversationEvent]:
        """Every event that goes, be it with its conversation."""
        return self._of(ConversationEvent)

    def conversations(self) -> QuerySet[Conversation]:
        """The conversations that go whole."""
        return self.rows if self.takes_conversations else Conversation.objects.none()

    def count(self) -> Count:
        """How much it is."""
        return Count(self.messages().count(), self.conversations().count(), self.events().count())

    def lag(self) -> timedelta | None:
        """How long the oldest has been overdue; None: nothing is due. One look at an index."""
        oldest = self.rows.order_by(self.age, "pk").values_list(self.age, flat=True).first()
        return None if oldest is None else self.cutoff - oldest

    def _of(self, model: type[Any]) -> QuerySet[Any]:
        if self.takes_conversations:
            inside: QuerySet[Any] = model.objects.filter(conversation__in=self.rows)
            return inside
        none: QuerySet[Any] = model.objects.none()
        return self.rows if self.rows.model is model else none


def of(app: App, *, at: datetime) -> list[Due]:
    """What is due of the app, in disjoint parts whose order is always the same."""
    return of_apps([app], at=at)[app.pk]


def of_apps(apps: Iterable[App], *, at: datetime) -> dict[str, list[Due]]:
    """The same for many apps, by their ids."""
    apps = list(apps)
    policies, holds = ruling.in_force_of(apps, at=at), holding.over(apps)
    return {
        app.pk: _everything(app, at, holds[app.pk])
        if app.deleted_at
        else [part(policies[app.pk, scope], app, at, holds[app.pk]) for scope, part in _PARTS]
        for app in apps
    }


def of_deleted(app: App, *, at: datetime) -> list[Due]:
    """The same of a deleted app that no hold keeps anything of; it may be a reference to one."""
    return _everything(app, at, Holds({}))


def part_of(app: App, number: int, *, at: datetime) -> Due:
    """The one part of `of` that has this number."""
    holds = holding.over([app])[app.pk]
    if app.deleted_at:
        return _everything(app, at, holds)[number]
    scope, part = _PARTS[number]
    return part(ruling.in_force(app=app, scope=scope, at=at), app, at, holds)


def version(app: App) -> Hashable:
    """Another one as soon as anything is written that may change what is due of the app at a given time.

    Policies, holds and releases are only ever added.
    """
    ((added,),) = statements.run(_ADDED, {"app": ids.to_uuid(app.pk), "project": app.project_id})
    return app.deleted_at, tuple(added)


def by(policy: Policy, app: App, *, at: datetime) -> Due:
    """What the policy, were it in force, would take of the app."""
    return _by_their_age(policy, app, at, holding.over([app])[app.pk])


def events_by(policy: Policy, app: App, *, at: datetime) -> Due:
    """The events that it would take by their own age."""
    return _events_by_their_age(policy, app, at, holding.over([app])[app.pk])


def _by_their_age(policy: Policy, app: App, at: datetime, holds: Holds) -> Due:
    cutoff = policy.cutoff(at)
    if cutoff is None:
        return Due(Message.objects.none(), at, policy)
    part = _spared(EXPIRED[policy.retention_type](app, policy.scope, cutoff), cutoff, policy, holds)
    if part.takes_conversations or policy.scope == Scope.DISPATCH:
        return part
    return replace(part, talks=Conversation.objects.filter(app=app))


def _events_by_their_age(policy: Policy, app: App, at: datetime, holds: Holds) -> Due:
    cutoff = policy.cutoff(at)
    if cutoff is None:
        return Due(ConversationEvent.objects.none(), at, policy)
    return _spared(EXPIRED_EVENTS[policy.retention_type](app, policy.scope, cutoff), cutoff, policy, holds)


# What `of` gives for every app: of each scope its messages and its events.
_PARTS: Final = [(scope, part) for scope in Scope for part in (_by_their_age, _events_by_their_age)]


def _spared(rows: QuerySet[Any], cutoff: datetime, policy: Policy | None, holds: Holds) -> Due:
    """What is left for the purge, and what a hold takes from it."""
    if not holds:
        return Due(rows, cutoff, policy)
    return Due(holds.spare(rows), cutoff, policy, every=rows, holds=holds)


def _ages(rows: QuerySet[Any], age: str) -> Statement:
    sql, parameters = rows.order_by().values_list(age).query.sql_with_params()
    return sql, parameters


def _everything(app: App, at: datetime, holds: Holds) -> list[Due]:
    """A deleted app keeps nothing, whatever its policy says, but what is held: of a conversation, that alone."""
    whole = _spared(Conversation.objects.filter(app=app), at, None, holds)
    apart = Q(conversation=None)
    if holds:
        apart |= ~Q(conversation__in=whole.rows.values("pk"))
    return [
        whole,
        _spared(ConversationEvent.objects.filter(apart, app=app), at, None, holds),
        _spared(Message.objects.filter(apart, app=app), at, None, holds),
        Due(ConversationEvent.objects.none(), at),
    ]
