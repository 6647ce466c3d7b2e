"""What became of a message, conversation, event or contact: still here, deleted by which run or whom, or not known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from contacts.models import Contact
from conversations.deleting import ID_BYTES
from conversations.models import Conversation, ConversationEvent, Message
from projects import authors, ids
from projects.models import Project
from retention import holding
from retention.models import ContactRemoval, PrivacyRequest, PurgeBatch

KINDS: Final = (Message, Conversation, ConversationEvent, Contact)


class Fate(StrEnum):
    """What became of it."""

    PRESENT = "PRESENT"
    HELD = "HELD"  # present, and kept by a legal hold
    DELETED = "DELETED"
    UNKNOWN = "UNKNOWN"  # never stored here, or taken out by SQL


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an id.

    The batch that deleted it names its run, its reason and its moment; of a contact, its removal or its erasure does.
    """

    fate: Fate
    row: Message | Conversation | ConversationEvent | Contact | None = None
    batch: PurgeBatch | None = None
    removal: ContactRemoval | None = None
    erasure: PrivacyRequest | None = None

    @property
    def deleted_at(self) -> datetime | None:
        """When it was deleted."""
        if self.batch:
            return self.batch.written_at
        if self.removal:
            return self.removal.removed_at
        return self.erasure.closed_at if self.erasure else None

    @property
    def deleted_by(self) -> str:
        """Who let a contact go."""
        return authors.named(self.removal.removed_by, self.removal.removed_by_key) if self.removal else ""


def what_became_of(project: Project, id_: str) -> Answer:
    """The fate of something of the project; an id of another project is not known."""
    if not ids.is_ulid(id_):
        return Answer(Fate.UNKNOWN)
    for kind in KINDS:
        rows: Any = kind._default_manager.filter(project=project, pk=id_)
        if row := rows.first():
            return Answer(Fate.HELD if holding.holds(rows) else Fate.PRESENT, row=row)
    for batch in _that_may_hold(project, id_).iterator(chunk_size=20):
        if _names(bytes(batch.ids), ids.to_uuid(id_).bytes):
            return Answer(Fate.DELETED, batch=batch)
    return _of_a_contact(project, id_) or Answer(Fate.UNKNOWN)


def _of_a_contact(project: Project, id_: str) -> Answer | None:
    """Contacts are in no batch: they belong to no app."""
    erasures = PrivacyRequest.objects.filter(
        kind=PrivacyRequest.Kind.ERASURE, state=PrivacyRequest.State.DONE
    )
    if erasure := erasures.filter(project=project, contact_id=id_).first():
        return Answer(Fate.DELETED, erasure=erasure)
    removal = ContactRemoval.objects.filter(project=project, pk=id_).select_related("removed_by").first()
    return Answer(Fate.DELETED, removal=removal) if removal else None


def _that_may_hold(project: Project, id_: str) -> Any:
    """Ids follow time and batches are windows of time: of all batches there are few."""
    batches = PurgeBatch.objects.filter(app__project=project, first_id__lte=id_, last_id__gte=id_)
    return batches.select_related("purge__policy__justification", "purge__app").order_by("-id")


def _names(gone: bytes, wanted: bytes) -> bool:
    place = gone.find(wanted)
    while place > 0 and place % ID_BYTES:  # found, but across two ids
        place = gone.find(wanted, place + 1)
    return place >= 0
