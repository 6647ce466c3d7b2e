"""Contacts are created and changed: with all their identities, and told to whoever listens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, prefetch_related_objects

from contacts import payloads, unifying
from contacts.models import ChannelIdentity, Contact
from gateway.channels.base import SAME_NUMBER, Channel
from webhooks.publishing import About, publish_in_project
from webhooks.triggers import Trigger

LONGEST_NAME: Final = 255  # characters


@dataclass(frozen=True, slots=True)
class ScopedIdentity:
    """How one person is known on one channel: normalised, with the app where the channel scopes to apps."""

    channel: Channel
    identity: str
    app_id: str | None = None


@transaction.atomic
def create(
    *, project_id: UUID | str, identities: Sequence[ScopedIdentity], fields: Mapping[str, Any], now: datetime
) -> Contact:
    """A new contact of the project. `fields` are the model's own. Raises ValidationError."""
    contact = Contact(project_id=project_id, **fields)
    contact.clean_fields(exclude=["project"])
    unifying.refuse_second(contact.project_id, _numbers(identities), contact=contact)
    contact.save(force_insert=True)
    _identify(contact, identities)
    _publish(Trigger.CONTACT_CREATE, contact, now)
    _report_duplicates(contact, identities, now)
    return contact


@transaction.atomic
def change(
    contact: Contact, *, identities: Sequence[ScopedIdentity] | None, fields: Mapping[str, Any], now: datetime
) -> None:
    """Write these fields; replace the identities whole unless None. Raises ValidationError."""
    for name, value in fields.items():
        setattr(contact, name, value)
    contact.clean_fields(exclude=["project"])
    contact.save(update_fields=list(fields))
    added: list[ScopedIdentity] = []
    if identities is not None:
        before = identities_of(contact)
        added = [one for one in identities if one not in before]
        unifying.refuse_second(contact.project_id, _numbers(added), contact=contact)
        contact.identities.all().delete()
        _identify(contact, identities)
    _publish(Trigger.CONTACT_UPDATE, contact, now)
    _report_duplicates(contact, added, now)


def identities_of(contact: Contact) -> set[ScopedIdentity]:
    """How the contact is known by now."""
    rows = contact.identities.all()
    return {ScopedIdentity(Channel(row.channel), row.identity, row.app_id) for row in rows}


def _numbers(identities: Iterable[ScopedIdentity]) -> list[str]:
    return [one.identity for one in identities if one.channel in SAME_NUMBER]


def _identify(contact: Contact, identities: Sequence[ScopedIdentity]) -> None:
    ChannelIdentity.objects.bulk_create(
        ChannelIdentity(
            contact=contact,
            project_id=contact.project_id,
            channel=one.channel,
            identity=one.identity,
            app_id=one.app_id,
            position=position,
        )
        for position, one in enumerate(identities)
    )
    prefetch_related_objects([contact], "identities")


def _publish(trigger: Trigger, contact: Contact, now: datetime) -> None:
    about = About(accepted_time=now, event_time=now)
    payload = {"contact": payloads.contact(contact)}
    publish_in_project(project_id=contact.project_id, trigger=trigger, payload=payload, about=about)


def _report_duplicates(contact: Contact, identities: Sequence[ScopedIdentity], now: datetime) -> None:
    """Tell that others have one of these identities too: the contract accepts it, a person should look."""
    shared = Q()
    for one in identities:
        shared |= Q(channel=one.channel, identity=one.identity, app=one.app_id)
    if not shared:
        return
    holders: dict[tuple[str, str, str], list[str]] = {}
    rows = ChannelIdentity.objects.filter(shared, project=contact.project_id).order_by("contact_id")
    for row in rows:
        holders.setdefault((row.channel, row.identity, row.app_id or ""), []).append(row.contact_id)
    duplicates = [(payloads.channel_identity(*known), ids) for known, ids in holders.items() if len(ids) > 1]
    if not duplicates:
        return
    publish_in_project(
        project_id=contact.project_id,
        trigger=Trigger.CONTACT_IDENTITIES_DUPLICATION,
        payload=payloads.duplicated(duplicates),
        about=About(accepted_time=now, event_time=now),
    )
