"""One batch of the purge: a small transaction that looks again at everything before it deletes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, UUIDField
from django.db.models.functions import Cast

from conversations import conversing, deleting
from conversations.models import Conversation, ConversationEvent, Message
from projects import ids
from projects.models import App
from retention import due
from retention.due import Count, Due
from webhooks.models import Webhook
from webhooks.triggers import Trigger

# Retention goals: a transaction of 1 000 rows stays below 250 ms; more would win nothing.
MESSAGES: Final = 1000
CONVERSATIONS: Final = 200

# A batch that cannot get on gives up; the row and the policy will still be there at the next one.
_OPEN = """
    SELECT set_config('lock_timeout', '2s', true), set_config('statement_timeout', '10s', true),
           pg_try_advisory_xact_lock(hashtextextended('retention.purge ' || %s, 0))
"""
# A change of policy locks this row too, so each waits for the other; writing a message does not.
_LOCK_APP = "SELECT * FROM projects_app WHERE id = %s FOR SHARE"


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch deleted, how far along the rows' age it came, and whether there is more beyond."""

    count: Count
    reached: datetime | None = None
    is_full: bool = False


NOTHING: Final = Batch(Count())


@transaction.atomic
def purge(app_id: str, *, part: int, at: datetime, since: datetime | None) -> Batch:
    """Delete the oldest rows of one part of what is due (`due.of`), from the age `since` on.

    Empty when nothing is left, when others hold all that is, or when another purger is at this app.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [app_id])
        if not cursor.fetchone()[2]:
            return NOTHING
    (app,) = App.objects.raw(_LOCK_APP, [ids.to_uuid(app_id)])
    rows = due.of(app, at=at)[part]
    if rows.takes_conversations:
        return _take_conversations(_oldest(rows, since), app, at=at)
    if rows.takes_events:
        return _take_events(_oldest(rows, since))
    return _take_messages(_oldest(rows, since))


def _oldest(part: Due, since: datetime | None) -> QuerySet[Any]:
    rows = part.rows.order_by(part.age, "pk")
    # What this run has passed is skipped: its dead rows would be read again with each batch.
    return rows.filter(**{f"{part.age}__gte": since}) if since else rows


# Rows that others hold are skipped everywhere below, so a batch never waits and is never part of a deadlock.


def _take_messages(rows: QuerySet[Message]) -> Batch:
    """Single messages. Their conversations stay, and learn which message is now their newest."""
    oldest = list(rows.values_list(Cast("conversation", UUIDField()), "accept_time")[:MESSAGES])
    if not oldest:
        return NOTHING
    reached = oldest[-1][1]
    held = _hold({conversation for conversation, _ in oldest if conversation})
    gone = deleting.delete_messages(
        rows.filter(Q(conversation=None) | Q(conversation__in=held), accept_time__lte=reached)[:MESSAGES]
    )
    deleting.renew_newest({message.conversation_id for message in gone}, reached)
    return Batch(Count(messages=len(gone)), reached, is_full=len(oldest) == MESSAGES)


def _take_events(rows: QuerySet[ConversationEvent]) -> Batch:
    """Single events. They make no conversation younger, so none has anything to learn."""
    gone = deleting.delete_events(rows[:MESSAGES])
    reached = max((event.accept_time for event in gone), default=None)
    return Batch(Count(events=len(gone)), reached, is_full=len(gone) == MESSAGES)


def _hold(conversations: Iterable[UUID]) -> list[UUID]:
    """Lock those that nobody else has: a message that comes in meanwhile waits, and counts afterwards."""
    free = Conversation.objects.select_for_update(skip_locked=True, no_key=True).filter(pk__in=conversations)
    return list(free.values_list(Cast("pk", UUIDField()), flat=True))


def _take_conversations(rows: QuerySet[Conversation], app: App, *, at: datetime) -> Batch:
    """Whole conversations. One with many messages or events goes in several batches, the oldest first."""
    conversations = list(rows.select_for_update(skip_locked=True)[:CONVERSATIONS])
    if not conversations:
        return NOTHING
    messages = Message.objects.filter(conversation__in=conversations).order_by("conversation", "accept_time")
    gone = deleting.delete_messages(messages[:MESSAGES])
    events = ConversationEvent.objects.filter(conversation__in=conversations).order_by("accept_time")
    gone_events = deleting.delete_events(events[:MESSAGES])
    unfinished = _those_not_empty(conversations)
    empty = [conversation for conversation in conversations if conversation.pk not in unfinished]
    _tell(empty, app, at=at)
    deleting.delete_conversations(empty)
    reached = [conversation.expiry_anchor for conversation in conversations if conversation.pk in unfinished]
    return Batch(
        Count(len(gone), len(empty), len(gone_events)),
        min(reached, default=conversations[-1].expiry_anchor),
        is_full=len(conversations) == CONVERSATIONS or MESSAGES in (len(gone), len(gone_events)),
    )


def _those_not_empty(conversations: Sequence[Conversation]) -> set[str]:
    held = Exists(Message.objects.filter(conversation=OuterRef("pk"))) | Exists(
        ConversationEvent.objects.filter(conversation=OuterRef("pk"))
    )
    kept = Conversation.objects.filter(held, pk__in=[conversation.pk for conversation in conversations])
    return set(kept.values_list("pk", flat=True))


def _tell(conversations: Sequence[Conversation], app: App, *, at: datetime) -> None:
    """CONVERSATION_DELETE for each, if anybody listens; a deleted app is told nothing."""
    if app.deleted_at or not Webhook.objects.listening(app, Trigger.CONVERSATION_DELETE).exists():
        return
    for conversation in conversations:
        conversing.tell_deleted(conversation, now=at)
