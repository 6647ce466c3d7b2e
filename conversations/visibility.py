"""What may be read of what is stored, and deleted when somebody asks: everything, unless retention says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any, Protocol

from django.db.models import DurationField, Exists, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from conversations.models import UNSETTLED, Conversation, ConversationEvent, Message, MessageQuerySet
from conversations.models.conversations import ConversationQuerySet
from conversations.models.events import ConversationEventQuerySet
from outbox.models import Entry
from outbox.questions import AnyTerm, Term
from projects import ids
from projects.models import App, ProcessingMode, Project
from projects.requests.wire import FailedPrecondition
from webhooks.models import Event

if TYPE_CHECKING:
    from conversations.deleting import Asked  # which asks here whether it may
    from conversations.merging import Leaving  # and so does this

Moment = datetime | Now  # the latter is the database's own, when it answers


@dataclass(frozen=True, slots=True)
class Within:
    """Where all that is asked for lies: in a project, an app, a conversation; or it is one message or event."""

    kind: type[Model]
    key: Any  # its id


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How old what some apps keep of one mode may be, to be served."""

    mode: ProcessingMode
    age: timedelta | Term | None = None  # None: as old as it likes
    of_conversations: bool = False  # their age decides over all that is in them
    apps: Sequence[str] | AnyTerm = ()  # their ids; none: all that no other limit names


class Rules(Protocol):
    """What a room above may restrict."""

    def limits(self, within: Within) -> list[Limit]:
        """What is served of the apps that have something there; without any, all of it."""
        ...

    def storing(self, apps: Iterable[App], mode: ProcessingMode) -> list[App]:
        """The apps whose messages of this mode count as stored."""
        ...

    def hold(self, rows: QuerySet[Any]) -> bool:
        """Whether something of these messages, events, conversations or contacts may not be deleted now."""
        ...

    def put_on_record(self, app: App, asked: Asked, *, now: datetime) -> None:
        """Write down, in the caller's transaction, what was just deleted."""
        ...

    def put_contact_on_record(self, leaving: Leaving, *, now: datetime) -> None:
        """Write down, in the caller's transaction, that a contact is about to go."""
        ...


class Held(FailedPrecondition):
    """A legal hold keeps what was to be deleted: release the hold first."""

    default_detail = "A legal hold keeps this: it cannot be deleted before the hold is released."


class EverythingIsServed:
    """The rules where nobody has installed others."""

    def limits(self, within: Within) -> list[Limit]:
        """None."""
        return []

    def storing(self, apps: Iterable[App], mode: ProcessingMode) -> list[App]:
        """All of them."""
        return list(apps)

    def hold(self, rows: QuerySet[Any]) -> bool:
        """Nothing is held."""
        return False

    def put_on_record(self, app: App, asked: Asked, *, now: datetime) -> None:
        """Nobody keeps a record."""

    def put_contact_on_record(self, leaving: Leaving, *, now: datetime) -> None:
        """Nor of contacts."""


rules: Rules = EverythingIsServed()


def messages(
    project_id: Any, mode: ProcessingMode, *, within: Within | None = None, at: Moment | None = None
) -> MessageQuerySet:
    """The project's messages of this mode that the API may read; `within` says where they are looked for."""
    served = messages_by(limits(project_id, mode, within=within), project_id, mode, at=at)
    if mode == ProcessingMode.CONVERSATION:
        return served
    return served.filter(app__in=rules.storing(App.objects.living().filter(project=project_id), mode))


def messages_by(
    limited: Sequence[Limit], project_id: Any, mode: ProcessingMode, *, at: Moment | None = None
) -> MessageQuerySet:
    """Those that these limits let through."""
    return Message.objects.served_in(project_id).of_mode(mode).filter(_fitting(Message, limited, at))


def conversations(
    project_id: Any, *, within: Within | None = None, at: Moment | None = None
) -> ConversationQuerySet:
    """The project's conversations that the API may read."""
    limited = limits(project_id, ProcessingMode.CONVERSATION, within=within)
    return Conversation.objects.served_in(project_id).filter(_fitting(Conversation, limited, at))


def conversations_with_last(
    project_id: Any, *, within: Within | None = None, at: Moment | None = None
) -> ConversationQuerySet:
    """Those of them that hold a message which the API may read, too: theirs is the age of their last."""
    limited = limits(project_id, ProcessingMode.CONVERSATION, within=within)
    by_last = [replace(limit, of_conversations=True) for limit in limited]
    talked_in = Conversation.objects.served_in(project_id).filter(newest_accept_time__isnull=False)
    return talked_in.filter(_fitting(Conversation, by_last, at))


def events(
    project_id: Any, *modes: ProcessingMode, within: Within | None = None, at: Moment | None = None
) -> ConversationEventQuerySet:
    """The project's events of these modes that the API may read."""
    limited = _limits(project_id, within)
    of_modes = (
        Q(
            _fitting(ConversationEvent, [limit for limit in limited if limit.mode == mode], at),
            processing_mode=mode,
        )
        for mode in modes
    )
    return ConversationEvent.objects.served_in(project_id).filter(reduce(or_, of_modes))


def limits(project_id: Any, mode: ProcessingMode, *, within: Within | None = None) -> list[Limit]:
    """What is served of this mode."""
    return [limit for limit in _limits(project_id, within) if limit.mode == mode]


def placed(limited: Sequence[Limit]) -> tuple[tuple[Limit, ...], dict[str, Any]]:
    """The limits as a statement has them that is composed once, and the terms which it is then asked with."""
    shapes = tuple(
        replace(limit, age=limit.age and _age(number), apps=limit.apps and _apps(number))
        for number, limit in enumerate(limited)
    )
    terms = {f"age_{number}": limit.age for number, limit in enumerate(limited)}
    return shapes, terms | {f"apps_{number}": limit.apps for number, limit in enumerate(limited)}


def refuse_if_held(rows: QuerySet[Any]) -> None:
    """Before a deletion that somebody asks for. Raises Held."""
    if rules.hold(rows):
        raise Held


def install(new: Rules) -> None:
    """Let these rules hold from now on; called when the app registry is ready."""
    global rules  # noqa: PLW0603 - the one inversion of the house
    rules = new


def _limits(project_id: Any, within: Within | None) -> list[Limit]:
    if within is None:
        return rules.limits(Within(Project, project_id))
    return rules.limits(within) if ids.is_ulid(within.key) else []  # what has no id of ours is not there


def _fitting(kind: type[Model], limited: Sequence[Limit], at: Moment | None) -> Q:
    """Which rows the limits of one mode let through."""
    others = reduce(and_, (~_of_apps(limit) for limit in limited if limit.apps), Q())
    parts = [
        (_of_apps(limit) if limit.apps else others) & _young(kind, limit, at or Now()) for limit in limited
    ]
    return reduce(or_, parts, Q())


@cache
def _age(number: int) -> Term:
    return Term(f"age_{number}", DurationField())


@cache
def _apps(number: int) -> AnyTerm:
    return AnyTerm(f"apps_{number}", App._meta.pk)


def _of_apps(limit: Limit) -> Q:
    return Q(app=limit.apps) if isinstance(limit.apps, AnyTerm) else Q(app__in=limit.apps)


def _young(kind: type[Model], limit: Limit, at: Moment) -> Q:
    if limit.age is None:
        return Q()
    since: Any = at - limit.age  # in Python, or in SQL
    if kind is Conversation:
        return Q(expiry_anchor__gte=since) if limit.of_conversations else Q()
    if limit.of_conversations:
        return Q(conversation__expiry_anchor__gte=since)
    young = Q(accept_time__gte=since)
    return young | _unfinished() if limit.mode == ProcessingMode.DISPATCH else young


def _unfinished() -> Q:
    """Dispatched, and kept however old until a report is there and the callback that tells of it is through."""
    waiting = Event.objects.filter(message_id=OuterRef("pk"), id__in=Entry.objects.values("ref"))
    return Q(status__in=UNSETTLED) | Q(Exists(waiting))
