"""Placing and releasing legal holds, and what they keep: due or not, asked for or not, it stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from contacts.models import Contact
from conversations.models import Conversation, ConversationEvent, Message
from projects.models import App, Project
from retention.models import HoldScope, LegalHold, LegalHoldQuerySet, LegalHoldRelease
from retention.trimming import trimmed

Range = tuple[datetime | None, datetime | None]
ALWAYS: Final[Range] = (None, None)


class Unreleasable(ValidationError):
    """The hold has ended, or another person must end it."""


@dataclass(slots=True)
class Reach:
    """What the holds of one period keep of an app. The database looks up what they name: they may be many."""

    app: App
    holds: LegalHoldQuerySet
    scopes: set[HoldScope] = field(default_factory=set)

    @property
    def everything(self) -> bool:
        """Whether a hold covers all of the app."""
        return not self.scopes.isdisjoint({HoldScope.PROJECT, HoldScope.APP})

    def conversation(self) -> Q:
        """Conversations that it names, itself or by their contact."""
        if self.everything:
            return Q()
        return self._any(Q(pk__in=self._conversations()), Q(contact__in=self._contacts()))

    def member(self) -> Q:
        """Messages or events of such conversations."""
        if self.everything:
            return Q()
        talks = Conversation.objects.filter(pk=OuterRef("conversation"), contact__in=self._contacts())
        return self._any(Q(conversation__in=self._conversations()), Q(Exists(talks)))

    def _any(self, by_conversation: Q, by_contact: Q) -> Q:
        conditions = {HoldScope.CONVERSATION: by_conversation, HoldScope.CONTACT: by_contact}
        return reduce(or_, (condition for scope, condition in conditions.items() if scope in self.scopes))

    def _conversations(self) -> QuerySet[Any]:
        # By the app alone, whose index finds them: a project may have thousands of holds over other apps.
        return self.holds.filter(app=self.app, scope=HoldScope.CONVERSATION).values("conversation_id")

    def _contacts(self) -> QuerySet[Any]:
        return self.holds.filter(project=self.app.project_id, scope=HoldScope.CONTACT).values("contact_id")


@dataclass(frozen=True, slots=True)
class Holds:
    """The holds in force over an app, by the period that they cover."""

    reaches: dict[Range, Reach]

    @classmethod
    def of(cls, app: App, found: Iterable[tuple[HoldScope, Range]]) -> Holds:
        """What was found over the app."""
        reaches: dict[Range, Reach] = {}
        for scope, period in found:
            since, until = period
            of_period = LegalHold.objects.active().filter(Q(accept_from=since), Q(accept_until=until))
            reaches.setdefault(period, Reach(app, of_period)).scopes.add(scope)
        return cls(reaches)

    def __bool__(self) -> bool:
        return bool(self.reaches)

    @property
    def is_total(self) -> bool:
        """Whether nothing of the app may go."""
        return ALWAYS in self.reaches and self.reaches[ALWAYS].everything

    def spare(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the messages, events or conversations that no hold keeps."""
        if self.is_total:
            return rows.none()
        return rows.exclude(self._kept(rows.model)) if self else rows

    def keep(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those that a hold keeps."""
        if self.is_total:
            return rows
        return rows.filter(self._kept(rows.model)) if self else rows.none()

    def beyond(self, conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
        """Those that no hold names, for whatever time; a hold over the whole app names them all."""
        if any(reach.everything for reach in self.reaches.values()):
            return conversations.none()
        named = [reach.conversation() for reach in self.reaches.values()]
        return conversations.exclude(reduce(or_, named)) if named else conversations

    def _kept(self, model: type[Any]) -> Q:
        # A conversation is held, as a whole, as soon as anything in it is.
        condition = _conversation_kept if model is Conversation else _member_kept
        return reduce(or_, (condition(period, reach) for period, reach in self.reaches.items()))


def over(apps: Iterable[App]) -> dict[str, Holds]:
    """The holds in force over each of the apps, by app id, in one query."""
    apps = list(apps)
    columns = ("app_id", "project_id", "scope", "accept_from", "accept_until")
    found: defaultdict[Any, list[tuple[HoldScope, Range]]] = defaultdict(list)
    kinds = LegalHold.objects.active().over(apps).order_by(*columns).values_list(*columns).distinct()
    for app_id, project_id, scope, since, until in kinds:
        found[app_id or project_id].append((HoldScope(scope), (since, until)))
    return {app.pk: Holds.of(app, [*found[app.project_id], *found[app.pk]]) for app in apps}


def holds(rows: QuerySet[Any]) -> bool:
    """Whether any hold keeps something of these messages, events, conversations or contacts."""
    if rows.model is Contact:
        named = LegalHold.objects.active().filter(scope=HoldScope.CONTACT, contact_id__in=rows.values("pk"))
        return named.exists()
    apps = App.objects.filter(pk__in=rows.values("app"))
    return any(kept.keep(rows.filter(app=app_id)).exists() for app_id, kept in over(apps).items() if kept)


@transaction.atomic
def place(
    *,
    project: Project,
    scope: HoldScope,
    matter: str,
    text: str = "",
    app: App | None = None,
    contact_id: str | None = None,
    conversation_id: str | None = None,
    accept_from: datetime | None = None,
    accept_until: datetime | None = None,
    by: Any = None,
    by_key: str | None = None,
    now: datetime,
) -> LegalHold:
    """Keep what it covers from this transaction's commit on. Raises ValidationError by field.

    A batch of the purge that has begun ends first; every later one sees the hold.
    """
    if scope == HoldScope.CONVERSATION:
        app = _app_of(project, conversation_id)
    hold = LegalHold(
        project=project,
        scope=scope,
        app=app,
        contact_id=contact_id,
        conversation_id=conversation_id,
        accept_from=accept_from,
        accept_until=accept_until,
        matter=trimmed(matter),
        text=trimmed(text),
        placed_by=by,
        placed_by_key=by_key,
        placed_at=now,
    )
    written = {"scope", "matter", "text"}
    hold.clean_fields(exclude=[field.name for field in LegalHold._meta.fields if field.name not in written])
    hold.validate_constraints()
    _wait_for_batches(hold)
    _refuse_a_stranger(hold)  # afterwards: an erasure may have taken the contact
    hold.save(force_insert=True)
    return hold


@transaction.atomic
def release(
    hold: LegalHold, *, text: str, by: Any = None, by_key: str | None = None, now: datetime
) -> LegalHoldRelease:
    """Let go what it kept: it follows its app's policy again. Raises ValidationError, or Unreleasable.

    Where the project demands four eyes, by somebody else than who placed it.
    """
    hold = LegalHold.objects.select_for_update(no_key=True, of=("self",)).get(pk=hold.pk)
    if not hold.is_active:
        raise Unreleasable("The hold was released already.")
    if hold.project.demands_four_eyes and (by is None or by == hold.placed_by):
        raise Unreleasable(
            "This project demands four eyes: somebody else than who placed it releases a hold."
        )
    row = LegalHoldRelease(
        hold=hold, text=trimmed(text), released_by=by, released_by_key=by_key, released_at=now
    )
    row.clean_fields(exclude=["hold", "released_by", "released_by_key"])
    row.validate_constraints()
    row.save(force_insert=True)
    return row


def _app_of(project: Project, conversation_id: str | None) -> App:
    conversation = (
        Conversation.objects.filter(project=project, pk=conversation_id).select_related("app").first()
    )
    if conversation is None:
        raise ValidationError({"conversation_id": "There is no such conversation in this project."})
    return conversation.app


def _refuse_a_stranger(hold: LegalHold) -> None:
    if hold.app and hold.app.project_id != hold.project_id:
        raise ValidationError({"app": "There is no such app in this project."})
    if hold.contact_id and not Contact.objects.filter(project=hold.project, pk=hold.contact_id).exists():
        raise ValidationError({"contact_id": "There is no such contact in this project."})


def _wait_for_batches(hold: LegalHold) -> None:
    """Of every app that it covers, in one order: who waits for us never has what we wait for."""
    apps = App.objects.filter(project=hold.project).order_by("pk")
    list((apps.filter(pk=hold.app_id) if hold.app_id else apps).select_for_update(no_key=True))
    if hold.contact_id:
        list(Contact.objects.filter(pk=hold.contact_id).select_for_update(no_key=True))


def _within(period: Range) -> Q:
    since, until = period
    condition = Q()
    if since:
        condition &= Q(accept_time__gte=since)
    if until:
        condition &= Q(accept_time__lt=until)
    return condition


def _member_kept(period: Range, reach: Reach) -> Q:
    return _within(period) & reach.member()


def _conversation_kept(period: Range, reach: Reach) -> Q:
    if period == ALWAYS:
        return reach.conversation()
    inside: Sequence[Any] = [
        model._default_manager.filter(_within(period), conversation=OuterRef("pk"))
        for model in (Message, ConversationEvent)
    ]
    return reach.conversation() & (Q(Exists(inside[0])) | Q(Exists(inside[1])))
