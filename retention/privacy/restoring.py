"""After a restore: who was erased since the backup was made is erased again, before anybody is served."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

from contacts.models import ChannelIdentity, Consent
from conversations.models import ConversationEvent, Message
from projects.models import Project
from retention.models import PrivacyRequest
from retention.privacy import erasing, remembering, requests
from retention.privacy.remembering import Erasure
from retention.privacy.tracing import Person

WHY: Final = "Erased before, and again after a backup was restored"
_ALONE: Final = "SELECT pg_advisory_lock(hashtextextended('retention.restoring', 0))"
_NO_LONGER_ALONE: Final = "SELECT pg_advisory_unlock(hashtextextended('retention.restoring', 0))"


def reapply(*, now: datetime) -> list[PrivacyRequest]:
    """Erase again whom the record names and the database does not know as erased; usually nobody.

    Whoever comes while another is at it waits until that is done.
    """
    if not _forgotten():
        return []
    with connection.cursor() as cursor:
        cursor.execute(_ALONE)
        try:
            return [_erase_again(erasure, now=now) for erasure in _forgotten()]
        finally:
            cursor.execute(_NO_LONGER_ALONE)


def _forgotten() -> list[Erasure]:
    """Those that the database has no decision on: it is older than they are."""
    record = list(remembering.written())
    decided = PrivacyRequest.objects.filter(pk__in=[erasure.request_id for erasure in record])
    known = set(decided.exclude(state=PrivacyRequest.State.OPEN).values_list("pk", flat=True))
    projects = {str(pk) for pk in Project.objects.values_list("pk", flat=True)}
    return [
        erasure for erasure in record if erasure.request_id not in known and erasure.project_id in projects
    ]


def _erase_again(erasure: Erasure, *, now: datetime) -> PrivacyRequest:
    return erasing.erase(_approved(erasure, now=now), person=_person(erasure), now=now)


@transaction.atomic
def _approved(erasure: Erasure, *, now: datetime) -> PrivacyRequest:
    request = PrivacyRequest.objects.filter(pk=erasure.request_id).first() or PrivacyRequest(
        pk=erasure.request_id,
        project_id=erasure.project_id,
        kind=PrivacyRequest.Kind.ERASURE,
        contact_id=erasure.contact_id,
        identity_check=WHY,
        received_at=now,
        due_at=requests.months_after(now, requests.MONTHS),
    )
    request.state, request.decided_at = PrivacyRequest.State.APPROVED, now
    request.save()
    return request


def _person(erasure: Erasure) -> Person:
    """The person, by what the restored database holds of the identities that only their hashes name."""
    of_project: dict[str, Any] = {"project": erasure.project_id}
    stores: list[Iterable[tuple[str, str, str | None]]] = [
        ChannelIdentity.objects.filter(**of_project).values_list("channel", "identity", "app"),
        Message.objects.filter(**of_project, conversation=None).values_list("channel", "identity", "app"),
        ConversationEvent.objects.filter(**of_project, conversation=None).values_list(
            "channel", "identity", "app"
        ),
        Consent.objects.filter(app__project__in=[erasure.project_id]).values_list(
            "channel", "identity", "app"
        ),
    ]
    found = {
        (channel, identity, None)
        for store in stores
        for channel, identity, _ in store
        if erasure.names(channel, identity)
    }
    return Person(erasure.project_id, erasure.contact_id, tuple(sorted(found)))
