"""The one place where messages are deleted by age, and with them everything that was written about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.db.models import QuerySet

from conversations.models import Conversation, Message
from projects import ids
from webhooks.models import OfMessage

_DELETE_MESSAGES = """
    WITH picked (id) AS MATERIALIZED ({picked})
    DELETE FROM conversations_message AS message USING picked WHERE message.id = picked.id
    RETURNING message.id, message.conversation_id, message.accept_time
"""

_DELETE_CONVERSATIONS = "DELETE FROM conversations_conversation WHERE id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Gone:
    """A message that was deleted."""

    id: UUID
    conversation_id: UUID | None
    accept_time: datetime


def satellites() -> list[type[OfMessage]]:
    """Every model whose rows go when their message goes; a new one is found by itself."""
    return [model for model in apps.get_models() if issubclass(model, OfMessage)]


def delete_messages(rows: QuerySet[Message]) -> list[Gone]:
    """Delete the rows and their satellites, in the caller's transaction. What is gone.

    The rows are picked, and their condition seen to hold, inside the deleting statement; a row that another
    transaction has locked is left alone, so this never waits.
    """
    picked, parameters = rows.select_for_update(skip_locked=True).values_list("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_DELETE_MESSAGES.format(picked=picked), parameters)
        gone = [Gone(*row) for row in cursor.fetchall()]
        if gone:
            # A statement of its own: it sees what was written about them until they were locked.
            cursor.execute(_satellites_statement(), {"messages": [message.id for message in gone]})
    return gone


def delete_conversations(conversations: Iterable[Conversation]) -> None:
    """Delete conversations whose messages are gone. The caller holds their locks."""
    with connection.cursor() as cursor:
        cursor.execute(
            _DELETE_CONVERSATIONS, [[ids.to_uuid(conversation.pk) for conversation in conversations]]
        )


@cache
def _satellites_statement() -> str:
    """One round trip for all of them."""
    tables = [connection.ops.quote_name(model._meta.db_table) for model in satellites()]
    parts = [
        f"gone_{number} AS (DELETE FROM {table} WHERE message_id = ANY(%(messages)s))"  # noqa: S608  # our tables
        for number, table in enumerate(tables)
    ]
    return f"WITH {', '.join(parts)} SELECT"
