"""One number, one person: contacts that share a number on SMS, MMS and RCS, and projects where they are one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from contacts.models import ChannelIdentity, Contact, ContactSettings
from gateway.channels.base import SAME_NUMBER
from projects.requests.wire import FailedPrecondition

# Whoever gives a contact a number shares this lock; whoever changes the rule has it alone.
_SHARE = "SELECT pg_advisory_xact_lock_shared(hashtextextended('contacts.unifying ' || %s, 0))"
_OWN = "SELECT pg_advisory_xact_lock(hashtextextended('contacts.unifying ' || %s, 0))"
_OWN_NUMBERS = """
    SELECT pg_advisory_xact_lock(hashtextextended(name, 0))
    FROM (SELECT %s || ' ' || unnest(%s::text[]) AS name ORDER BY name) AS names
"""


def conflicts(project_id: Any) -> QuerySet[ChannelIdentity]:
    """The numbers that several contacts of the project share, one row for each."""
    numbers = ChannelIdentity.objects.filter(project=project_id, channel__in=SAME_NUMBER)
    others = numbers.filter(identity=OuterRef("identity")).exclude(contact=OuterRef("contact"))
    return numbers.filter(Exists(others)).distinct("identity")


def holders(project_id: Any, numbers: Iterable[str]) -> dict[str, list[ChannelIdentity]]:
    """By number every row that has it; one query."""
    found: dict[str, list[ChannelIdentity]] = {number: [] for number in numbers}
    rows = ChannelIdentity.objects.filter(project=project_id, channel__in=SAME_NUMBER, identity__in=found)
    for row in rows.order_by("id"):
        found[row.identity].append(row)
    return found


def is_unified(project_id: Any) -> bool:
    """Whether a number has one contact in this project."""
    return ContactSettings.objects.filter(project=project_id, unified_contact_id_enabled=True).exists()


@transaction.atomic
def set_unified(settings: ContactSettings, *, enabled: bool) -> None:
    """Write the settings. Raises FailedPrecondition while contacts share a number."""
    with connection.cursor() as cursor:
        cursor.execute(_OWN, [str(settings.project_id)])
    if enabled and conflicts(settings.project_id).exists():
        raise FailedPrecondition(
            "Contacts share numbers on SMS, MMS or RCS: merge those of contacts:identityConflicts first."
        )
    settings.unified_contact_id_enabled = enabled
    settings.save()


def refuse_second(project_id: UUID, numbers: Iterable[str], *, contact: Contact) -> None:
    """Where a number has one contact, nobody but this one may have these. Raises ValidationError.

    Within the caller's transaction: until its end nobody else gets them.
    """
    wanted = sorted(set(numbers))
    if not wanted:
        return
    with connection.cursor() as cursor:
        cursor.execute(_SHARE, [str(project_id)])
    if not is_unified(project_id):
        return
    with connection.cursor() as cursor:
        cursor.execute(_OWN_NUMBERS, [str(project_id), wanted])
    taken = ChannelIdentity.objects.filter(
        project=project_id, channel__in=SAME_NUMBER, identity__in=wanted
    ).exclude(contact=contact)
    if taken.exists():
        raise ValidationError(
            {"channel_identities": ["another contact has this number, and contacts are unified by it"]}
        )
