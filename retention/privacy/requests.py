"""A request's way: it comes in, its month may be extended, and somebody approves or refuses it."""

from __future__ import annotations

import calendar
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from contacts.models import Contact
from conversations.visibility import Held
from retention.models import PrivacyRequest
from retention.trimming import trimmed

MONTHS: Final = 1  # Art. 12(3) GDPR: within one month of receipt …
EXTENDED_MONTHS: Final = 3  # … which may be extended by two


class StillOpen(Held):
    """Somebody asked for a copy, or to be erased, and it is not over: the contact stays until it is."""

    default_detail = "A privacy request about this contact is open: it cannot go before that is over."


def refuse_if_open(contacts: QuerySet[Contact]) -> None:
    """Before these contacts go by another way than erasure: nobody would find what they said. Raises StillOpen."""
    if PrivacyRequest.objects.open().filter(contact_id__in=contacts.values("pk")).exists():
        raise StillOpen


@transaction.atomic
def receive(
    contact: Contact,
    *,
    kind: PrivacyRequest.Kind,
    identity_check: str,
    reference: str = "",
    by: Any = None,
    now: datetime,
) -> PrivacyRequest:
    """Put the request on record; nothing else is done yet. Raises ValidationError by field."""
    if not Contact.objects.select_for_update(no_key=True).filter(pk=contact.pk):
        raise ValidationError("The contact has just gone.")  # it waited for who deleted or merged it
    request = PrivacyRequest(
        project_id=contact.project_id,
        kind=kind,
        contact_id=contact.pk,
        identity_check=trimmed(identity_check),
        reference=trimmed(reference),
        received_at=now,
        due_at=months_after(now, MONTHS),
        requested_by=by,
    )
    written = {"identity_check", "reference"}
    request.clean_fields(
        exclude=[field.name for field in PrivacyRequest._meta.fields if field.name not in written]
    )
    request.validate_constraints()
    request.save(force_insert=True)
    return request


@transaction.atomic
def approve(request: PrivacyRequest, *, by: Any, now: datetime) -> PrivacyRequest:
    """Let it be done: a copy may be fetched from now on, an erasure begins with its next try.

    Where the project demands four eyes, by somebody else than who took an erasure in. Raises ValidationError.
    """
    request = _undecided(request)
    is_erasure = request.kind == PrivacyRequest.Kind.ERASURE
    if is_erasure and request.project.demands_four_eyes and (by is None or by == request.requested_by):
        raise ValidationError(
            "This project demands four eyes: somebody else than who took the request in approves an erasure."
        )
    request.state = PrivacyRequest.State.APPROVED if is_erasure else PrivacyRequest.State.DONE
    request.closed_at = None if is_erasure else now
    return _decided(request, by=by, now=now)


@transaction.atomic
def refuse(request: PrivacyRequest, *, why: str, by: Any, now: datetime) -> PrivacyRequest:
    """Close it with the reason that the person is told. Raises ValidationError."""
    request = _undecided(request)
    request.state, request.refusal, request.closed_at = PrivacyRequest.State.REFUSED, trimmed(why), now
    return _decided(request, by=by, now=now)


@transaction.atomic
def extend(request: PrivacyRequest, *, why: str) -> PrivacyRequest:
    """Two months more, once, for a reason that the person is told. Raises ValidationError."""
    request = PrivacyRequest.objects.select_for_update(no_key=True).get(pk=request.pk)
    if request.extension or request.closed_at:
        raise ValidationError("It can be extended once, while it is open.")
    if not trimmed(why):
        raise ValidationError({"extension": "Say why more time is needed: the person has a right to know."})
    request.extension, request.due_at = trimmed(why), months_after(request.received_at, EXTENDED_MONTHS)
    request.clean_fields(exclude=["project", "requested_by", "decided_by"])
    request.save(update_fields=["extension", "due_at"])
    return request


def months_after(moment: datetime, months: int) -> datetime:
    """The same day so many months on; the month's last day where it has no such day."""
    years, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + years, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))


def _undecided(request: PrivacyRequest) -> PrivacyRequest:
    found = PrivacyRequest.objects.select_for_update(no_key=True, of=("self",)).select_related("project")
    request = found.get(pk=request.pk)
    if request.state != PrivacyRequest.State.OPEN:
        raise ValidationError(f"It was decided already: {request.get_state_display().lower()}.")
    return request


def _decided(request: PrivacyRequest, *, by: Any, now: datetime) -> PrivacyRequest:
    request.decided_by, request.decided_at = by, now
    request.validate_constraints()
    request.save()
    return request
