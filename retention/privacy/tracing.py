"""What the house stores about one contact: every store that an export shows and an erasure empties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, Final

import orjson
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, F, Func, IntegerField, OuterRef, Q, QuerySet, Value
from django.db.models.lookups import GreaterThan

from contacts.models import Consent, ConsentRecord, Contact
from conversations.models import CapabilityQuery, Conversation, ConversationEvent, Message
from projects.models import App
from webhooks.models import Attempt, DeadLetter, Event

NOBODY: Final = Q(pk__in=[])


@dataclass(frozen=True, slots=True)
class Person:
    """A contact, by its id and by how channels know it."""

    project_id: Any
    contact_id: str
    identities: tuple[tuple[str, str, str | None], ...]  # channel, identity, app where the channel scopes it

    @classmethod
    def of(cls, contact: Contact) -> Person:
        """As the contact is now."""
        known = contact.identities.values_list("channel", "identity", "app_id")
        return cls(contact.project_id, contact.pk, tuple(known))

    def adopt(self) -> None:
        """Take over what an earlier contact of the same identities said, which went and left its conversations."""
        said = Message.objects.filter(self._known(), project=self.project_id, conversation=OuterRef("pk"))
        left = Conversation.objects.filter(Exists(said), project=self.project_id, contact=None)
        left.update(contact=Contact.objects.filter(pk=self.contact_id).values("pk"))

    def apps(self) -> QuerySet[App]:
        """Those that may have talked with the person, deleted ones too."""
        return App.objects.filter(project=self.project_id).order_by("pk")

    def conversations(self) -> QuerySet[Conversation]:
        """With any app."""
        return Conversation.objects.filter(contact=self.contact_id)

    def messages(self) -> QuerySet[Message]:
        """Those of the conversations, and those dispatched to one of the identities."""
        return Message.objects.filter(self._said(), project=self.project_id)

    def events(self) -> QuerySet[ConversationEvent]:
        """Likewise."""
        return ConversationEvent.objects.filter(self._said(), project=self.project_id)

    def consents(self) -> QuerySet[Consent]:
        """The opt-out lists that an identity stands on."""
        return Consent.objects.filter(self._known(), app__project=self.project_id)

    def consent_records(self) -> QuerySet[ConsentRecord]:
        """How it came there, and went."""
        return ConsentRecord.objects.filter(self._known(), app__project=self.project_id)

    def told(self) -> QuerySet[Event]:
        """Events for webhooks that name the person and belong to no message: those go with theirs."""
        needles = [self.contact_id, *(identity for _, identity, _ in self.identities)]
        return Event.objects.filter(
            reduce(or_, map(_names, needles)),
            app__in=self.apps(),
            message_id=None,
        )

    def others(self) -> Mapping[str, QuerySet[Any]]:
        """Everything that is neither said nor the contact itself, by the name of its table; in deleting order."""
        told = self.told().values("pk")
        asked = Q(contact_id=self.contact_id) | Q(
            identity__in=[identity for _, identity, _ in self.identities]
        )
        stores: list[QuerySet[Any]] = [
            Attempt.objects.filter(event_id__in=told),
            DeadLetter.objects.filter(event_id__in=told),
            self.told(),
            self.consents(),
            self.consent_records(),
            CapabilityQuery.objects.filter(asked, credential__app__project=self.project_id),
            LogEntry.objects.filter(
                content_type=ContentType.objects.get_for_model(Contact), object_id=self.contact_id
            ),
        ]
        return {rows.model._meta.db_table: rows for rows in stores}

    def _said(self) -> Q:
        return Q(conversation__in=self.conversations()) | (Q(conversation=None) & self._known())

    def _known(self) -> Q:
        scoped = (
            Q(channel=channel, identity=identity, app=app_id)
            if app_id
            else Q(channel=channel, identity=identity)
            for channel, identity, app_id in self.identities
        )
        return reduce(or_, scoped, NOBODY)


class Position(Func):
    """Where bytes stand in bytes, from 1 on; 0: nowhere."""

    function = "POSITION"
    arg_joiner = " IN "
    output_field = IntegerField()


def _names(needle: str) -> Q:
    """Whether the body of an event has this as a string of its own, written as JSON writes it."""
    return Q(GreaterThan(Position(Value(orjson.dumps(needle)), F("body")), 0))
