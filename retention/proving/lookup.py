"""What became of a message, conversation or event: still here, deleted and by which run, or not known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from conversations.deleting import ID_BYTES
from conversations.models import Conversation, ConversationEvent, Message
from projects import ids
from projects.models import Project
from retention import holding
from retention.models import PurgeBatch

KINDS: Final = (Message, Conversation, ConversationEvent)


class Fate(StrEnum):
    """What became of it."""

    PRESENT = "PRESENT"
    HELD = "HELD"  # present, and kept by a legal hold
    DELETED = "DELETED"
    UNKNOWN = "UNKNOWN"  # never stored here, or taken out by SQL


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an id; the batch that deleted it names its run, its reason and its moment."""

    fate: Fate
    row: Message | Conversation | ConversationEvent | None = None
    batch: PurgeBatch | None = None

    @property
    def deleted_at(self) -> datetime | None:
        """When it was deleted."""
        return self.batch.written_at if self.batch else None


def what_became_of(project: Project, id_: str) -> Answer:
    """The fate of a message, conversation or event of the project; an id of another project is not known."""
    if not ids.is_ulid(id_):
        return Answer(Fate.UNKNOWN)
    for kind in KINDS:
        rows: Any = kind._default_manager.filter(project=project, pk=id_)
        if row := rows.first():
            return Answer(Fate.HELD if holding.holds(rows) else Fate.PRESENT, row=row)
    for batch in _that_may_hold(project, id_).iterator(chunk_size=20):
        if _names(bytes(batch.ids), ids.to_uuid(id_).bytes):
            return Answer(Fate.DELETED, batch=batch)
    return Answer(Fate.UNKNOWN)


def _that_may_hold(project: Project, id_: str) -> Any:
    """Ids follow time and batches are windows of time: of all batches there are few."""
    batches = PurgeBatch.objects.filter(app__project=project, first_id__lte=id_, last_id__gte=id_)
    return batches.select_related("purge__policy__justification", "purge__app").order_by("-id")


def _names(gone: bytes, wanted: bytes) -> bool:
    place = gone.find(wanted)
    while place % ID_BYTES > 0:  # found, but across two ids
        place = gone.find(wanted, place + 1)
    return place >= 0
