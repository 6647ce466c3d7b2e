"""What is due: the one predicate that the purge, its dry run, the preview and the lag all ask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Exists, OuterRef, QuerySet

from conversations.models import Conversation, ConversationEvent, Message
from projects.models import App
from retention import ruling
from retention.policies import EXPIRED, EXPIRED_EVENTS, Scope
from retention.ruling import Policy

PARTS: Final = 2 * len(Scope)  # that `of` gives for every app: of each scope its messages and its events


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
        return bool(self.messages or self.conversations or self.events)


@dataclass(frozen=True, slots=True)
class Due:
    """Rows that may go for one reason: single messages, single events, or whole conversations."""

    rows: QuerySet[Any]
    cutoff: datetime  # all are older

    @property
    def takes_conversations(self) -> bool:
        """Whether whole conversations go."""
        return self.rows.model is Conversation

    @property
    def takes_events(self) -> bool:
        """Whether single events go."""
        return self.rows.model is ConversationEvent

    @property
    def age(self) -> str:
        """The column that decides."""
        return "expiry_anchor" if self.takes_conversations else "accept_time"

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
    policies = ruling.in_force_of(apps, at=at)
    return {
        app.pk: _everything(app, at)
        if app.deleted_at
        else [part(policies[app.pk, scope], app, at=at) for scope in Scope for part in (by, events_by)]
        for app in apps
    }


def by(policy: Policy, app: App, *, at: datetime) -> Due:
    """What the policy, were it in force, would take of the app."""
    cutoff = policy.cutoff(at)
    if cutoff is None:
        return Due(Message.objects.none(), at)
    return Due(EXPIRED[policy.retention_type](app, policy.scope, cutoff), cutoff)


def events_by(policy: Policy, app: App, *, at: datetime) -> Due:
    """The events that it would take by their own age."""
    cutoff = policy.cutoff(at)
    if cutoff is None:
        return Due(ConversationEvent.objects.none(), at)
    return Due(EXPIRED_EVENTS[policy.retention_type](app, policy.scope, cutoff), cutoff)


def newly(proposed: Policy, app: App, *, at: datetime) -> int:
    """How many rows are due under the proposed policy and not under the one in force."""
    new, old = by(proposed, app, at=at), by(ruling.in_force(app=app, scope=proposed.scope, at=at), app, at=at)
    messages = new.messages().filter(~Exists(old.messages().filter(pk=OuterRef("pk"))))
    conversations = new.conversations().filter(~Exists(old.conversations().filter(pk=OuterRef("pk"))))
    return messages.count() + conversations.count()


def _everything(app: App, at: datetime) -> list[Due]:
    """A deleted app keeps nothing, whatever its policy says."""
    events = ConversationEvent.objects.filter(app=app)
    return [
        Due(Conversation.objects.filter(app=app), at),
        Due(events.filter(conversation__isnull=False), at),
        Due(Message.objects.filter(app=app, conversation=None), at),
        Due(events.filter(conversation=None), at),
    ]
