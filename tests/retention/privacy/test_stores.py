"""Nothing that names a person is forgotten by an erasure: the store of a new model has to be dealt with."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import models

from contacts.models import Contact
from conversations import deleting
from conversations.models import Conversation, ConversationEvent, Message
from projects.fields import SecretField
from retention.privacy.tracing import Person
from retention.stores import SPARED
from tests.retention.test_stores import PAYLOADS, ROOMS

NAMES = {"message_id", "conversation_id", "contact_id", "identity", "recipients", "email", "object_repr"}
OTHERS = {"admin", "axes", "pghistory", "sessions"}  # the rooms that are not ours
WORDS = (*PAYLOADS, models.TextField)


def erased(person: Contact) -> set[str]:
    """The models whose rows an erasure deletes: by itself, or with what they belong to."""
    own: set[type[Any]] = {Message, Conversation, ConversationEvent, Contact, *deleting.satellites()}
    with_it = {
        relation.related_model
        for relation in Contact._meta.related_objects
        if relation.on_delete is models.CASCADE
    }
    others = {rows.model for rows in Person.of(person).others().values()}
    return {model._meta.label for model in own | with_it | others}


def test_every_model_that_may_name_a_person_is_erased_or_spared_for_a_reason(person: Contact) -> None:
    suspects = {
        model._meta.label
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in ROOMS | OTHERS and model._meta.managed
        for field in model._meta.concrete_fields
        if field.attname in NAMES or _may_say_anything(field)
    }

    gone = erased(person)
    assert suspects - gone == SPARED.keys()
    assert not SPARED.keys() & gone


def _may_say_anything(field: models.Field[Any, Any]) -> bool:
    """Of words, secrets and the labels of the trail of changes apart."""
    return isinstance(field, WORDS) and not isinstance(field, SecretField) and field.name[:4] != "pgh_"
