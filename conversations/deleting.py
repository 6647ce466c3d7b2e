"""The one place where messages and events are deleted, and with them everything that was written about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction
from django.db.models import OuterRef, QuerySet, Subquery

from conversations import conversing
from conversations.models import Conversation, ConversationEvent, Message
from projects import ids
from webhooks.models import OfMessage

_DELETE = """
    WITH picked (id) AS MATERIALIZED ({picked})
    DELETE FROM {table} AS row USING picked WHERE row.id = picked.id
    RETURNING row.id, row.conversation_id, row.accept_time
"""

_DELETE_CONVERSATIONS = "DELETE FROM conversations_conversation WHERE id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Gone:
    """A message or event that was deleted."""

    id: UUID
    conversation_id: UUID | None
    accept_time: datetime


def satellites() -> list[type[OfMessage]]:
    """Every model whose rows go when their message or event goes; a new one is found by itself."""
    return [model for model in apps.get_models() if issubclass(model, OfMessage)]


def delete_messages(rows: QuerySet[Message]) -> list[Gone]:
    """Delete the rows and their satellites, in the caller's transaction. What is gone.

    The rows are picked, and their condition seen to hold, inside the deleting statement; a row that another
    transaction has locked is left alone, so this never waits.
    """
    return _delete(rows)


def delete_events(rows: QuerySet[ConversationEvent]) -> list[Gone]:
    """The same for events."""
    return _delete(rows)


def delete_conversations(conversations: Iterable[Conversation]) -> None:
    """Delete conversations whose messages and events are gone. The caller holds their locks."""
    with connection.cursor() as cursor:
        cursor.execute(
            _DELETE_CONVERSATIONS, [[ids.to_uuid(conversation.pk) for conversation in conversations]]
        )


@transaction.atomic
def delete_message(message: Message) -> None:
    """Delete one message because somebody asks for it; its conversation learns which is now its newest."""
    if message.conversation_id:
        Conversation.objects.select_for_update(no_key=True).get(pk=message.conversation_id)
    one = Message.objects.filter(pk=message.pk)
    list(one.select_for_update())  # wait for who holds it: it is not to be skipped
    gone = delete_messages(one)
    renew_newest({deleted.conversation_id for deleted in gone}, message.accept_time)


@transaction.atomic
def delete_event(event: ConversationEvent) -> None:
    """Delete one event because somebody asks for it."""
    one = ConversationEvent.objects.filter(pk=event.pk)
    list(one.select_for_update())  # wait for who holds it: it is not to be skipped
    delete_events(one)


@transaction.atomic
def delete_conversation(conversation: Conversation, *, now: datetime) -> None:
    """Delete a conversation with all its messages and events because somebody asks for it, and tell of it."""
    Conversation.objects.select_for_update().get(pk=conversation.pk)
    messages = Message.objects.filter(conversation=conversation)
    list(messages.select_for_update().values_list("pk"))
    delete_messages(messages)
    events = ConversationEvent.objects.filter(conversation=conversation)
    list(events.select_for_update().values_list("pk"))
    delete_events(events)
    conversing.tell_deleted(conversation, now=now)
    delete_conversations([conversation])


def renew_newest(conversations: Iterable[UUID | None], reached: datetime) -> None:
    """After messages up to `reached` went: conversations with a younger one keep it; the others' newest is what is
    left, or none.
    """
    left = Message.objects.filter(conversation=OuterRef("pk")).order_by("-accept_time").values("accept_time")
    emptied = Conversation.objects.filter(pk__in=filter(None, conversations), newest_accept_time__lte=reached)
    emptied.update(newest_accept_time=Subquery(left[:1]))


def _delete(rows: QuerySet[Any]) -> list[Gone]:
    if rows.query.is_empty():
        return []
    picked, parameters = rows.select_for_update(skip_locked=True).values_list("pk").query.sql_with_params()
    table = connection.ops.quote_name(rows.model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(_DELETE.format(picked=picked, table=table), parameters)
        gone = [Gone(*row) for row in cursor.fetchall()]
        if gone:
            # A statement of its own: it sees what was written about them until they were locked.
            cursor.execute(_satellites_statement(), {"messages": [row.id for row in gone]})
    return gone


@cache
def _satellites_statement() -> str:
    """One round trip for all of them."""
    tables = [connection.ops.quote_name(model._meta.db_table) for model in satellites()]
    parts = [
        f"gone_{number} AS (DELETE FROM {table} WHERE message_id = ANY(%(messages)s))"  # noqa: S608  # our tables
        for number, table in enumerate(tables)
    ]
    return f"WITH {', '.join(parts)} SELECT"
