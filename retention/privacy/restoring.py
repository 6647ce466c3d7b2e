"""After a restore: who was erased since the backup was made is erased again, before anybody is served."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from django.db import DatabaseError, connection, transaction

from contacts.models import ChannelIdentity, Consent
from conversations.models import ConversationEvent, Message
from projects.models import Project
from retention.models import PrivacyRequest
from retention.privacy import erasing, remembering, requests
from retention.privacy.erasing import NotErased
from retention.privacy.remembering import Erasure
from retention.privacy.tracing import Person

Stored = dict[str, tuple[str, str]]  # channel and identity, by their hash

WHY: Final = "Erased before, and again after a backup was restored"
_ALONE: Final = "SELECT pg_advisory_lock(hashtextextended('retention.restoring', 0))"
_NO_LONGER_ALONE: Final = "SELECT pg_advisory_unlock(hashtextextended('retention.restoring', 0))"


class StillHere(Exception):
    """Whom a backup brought back could not be erased again: nobody may be served. Mend the cause and try again."""


def reapply(*, now: datetime) -> list[PrivacyRequest]:
    """Erase again whom the record names and the database does not know as erased; usually nobody.

    Whoever comes while another is at it waits until that is done. Raises StillHere.
    """
    if not _forgotten():
        return []
    try:
        with _alone():
            forgotten = _forgotten()
            stored = _stored(erasure.project_id for erasure in forgotten)
            return [_erase_again(erasure, stored, now=now) for erasure in forgotten]
    except (DatabaseError, NotErased) as failure:
        raise StillHere(f"Who was erased is here again: {failure}") from failure


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(_ALONE)
        try:
            yield
        finally:
            cursor.execute(_NO_LONGER_ALONE)


def _forgotten() -> list[Erasure]:
    """Those that the database knows less of than the record: it is older than they are."""
    record = list(remembering.written())
    known = PrivacyRequest.objects.filter(pk__in=[erasure.request_id for erasure in record])
    states = dict(known.values_list("pk", "state"))
    projects = {str(pk) for pk in Project.objects.values_list("pk", flat=True)}
    return [
        erasure
        for erasure in record
        if erasure.project_id in projects and states.get(erasure.request_id) in _unaware(erasure)
    ]


def _unaware(erasure: Erasure) -> set[str | None]:
    """What a database says of the request that was made before the record was."""
    undecided: set[str | None] = {None, PrivacyRequest.State.OPEN}
    if not erasure.is_done:
        return undecided
    return undecided | {PrivacyRequest.State.APPROVED, PrivacyRequest.State.HELD}  # made in the middle of it


def _erase_again(erasure: Erasure, stored: Stored, *, now: datetime) -> PrivacyRequest:
    found = {stored[hash_] for hash_ in erasure.identities & stored.keys()}
    identities = tuple((channel, identity, None) for channel, identity in sorted(found))
    person = Person(erasure.project_id, erasure.contact_id, identities)
    again = erasing.erase(_approved(erasure, now=now), person=person, now=now)
    if again.state == PrivacyRequest.State.APPROVED:
        raise NotErased(f"Somebody else has locked something of contact {erasure.contact_id}.")
    return again


@transaction.atomic
def _approved(erasure: Erasure, *, now: datetime) -> PrivacyRequest:
    known = PrivacyRequest.objects.select_for_update(no_key=True).filter(pk=erasure.request_id).first()
    if known and known.closed_at:  # no backup: it was just being done
        return known
    request = known or PrivacyRequest(
        pk=erasure.request_id,
        project_id=erasure.project_id,
        kind=PrivacyRequest.Kind.ERASURE,
        contact_id=erasure.contact_id,
        identity_check=WHY,
        received_at=now,
        due_at=requests.months_after(now, requests.MONTHS),
    )
    # What the backup knows as open besides was decided since; there is one at a time.
    others = PrivacyRequest.objects.open().filter(kind=request.kind, contact_id=request.contact_id)
    others.exclude(pk=request.pk).update(
        state=PrivacyRequest.State.REFUSED, refusal=f"{WHY}: {request.pk}", decided_at=now, closed_at=now
    )
    request.state, request.decided_at = PrivacyRequest.State.APPROVED, request.decided_at or now
    request.save()
    return request


def _stored(project_ids: Iterable[str]) -> Stored:
    """What the restored database holds of identities, by the hash that the record names them with."""
    stored: Stored = {}
    for project_id in set(project_ids):
        of_project: dict[str, Any] = {"project": project_id}
        for rows in (
            ChannelIdentity.objects.filter(**of_project),
            Message.objects.filter(**of_project, conversation=None),
            ConversationEvent.objects.filter(**of_project, conversation=None),
            Consent.objects.filter(app__project__in=[project_id]),
        ):
            known: Any = rows.order_by().values_list("channel", "identity").distinct()
            stored |= {remembering.fingerprint(project_id, *identity): identity for identity in known}
    return stored
