"""The one place where messages and events are deleted, and with them everything that was written about them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.sql import DeleteQuery

from conversations import conversing, visibility
from conversations.models import Conversation, ConversationEvent, Message
from outbox import statements
from projects import ids
from projects.models import App
from webhooks.models import OfMessage

# Deletes what the queryset finds, and waits for whoever has locked a row of it ...
_DELETE = "gone AS ({delete} RETURNING id, app_id, accept_time)"
# ... or leaves such rows alone; for that, each is looked up twice.
_DELETE_FREE = """
    picked (id) AS MATERIALIZED ({picked}),
    gone AS (
        DELETE FROM {table} AS row USING picked WHERE row.id = picked.id
        RETURNING row.id, row.app_id, row.accept_time
    )
"""
_IDS = """
    SELECT string_agg(uuid_send(id), ''::bytea), app_id, min(accept_time), max(accept_time) FROM gone GROUP BY app_id
"""
_DELETE_CONVERSATIONS = "DELETE FROM conversations_conversation WHERE id = ANY(%s)"
_IN_RANGE: Final = "row.app_id = %(app)s AND row.accept_time BETWEEN %(first)s AND %(last)s"
ID_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Gone:
    """Messages, events or conversations that were deleted."""

    ids: bytes = b""  # 16 bytes each, sorted
    satellites: Mapping[str, int] = field(default_factory=dict)  # rows that went with them, by table

    def __len__(self) -> int:
        return len(self.ids) // ID_BYTES

    def __add__(self, other: Gone) -> Gone:
        tables = self.satellites.keys() | other.satellites.keys()
        return Gone(
            _sorted(self.ids + other.ids),
            {table: self.satellites.get(table, 0) + other.satellites.get(table, 0) for table in tables},
        )

    @property
    def digest(self) -> bytes:
        """SHA-256 over the ids."""
        return hashlib.sha256(self.ids).digest()


def satellites() -> list[type[OfMessage]]:
    """Every model whose rows go when their message or event goes; a new one is found by itself."""
    return [model for model in apps.get_models() if issubclass(model, OfMessage)]


def delete_messages(rows: QuerySet[Message], is_patient: bool = False, is_most: bool = False) -> Gone:
    """Delete the rows and their satellites, in the caller's transaction. What is gone.

    The rows' condition is seen to hold inside the deleting statement. A row that another transaction has locked is
    left alone, so this never waits; a patient one waits, and costs half as much. Only the former may be sliced.
    Where the rows are most of what their app has of their time, satellites are had by time and not by id.
    """
    return _delete(rows, is_patient, is_most)


def delete_events(rows: QuerySet[ConversationEvent], is_patient: bool = False, is_most: bool = False) -> Gone:
    """The same for events."""
    return _delete(rows, is_patient, is_most)


def delete_conversations(conversations: Iterable[Conversation]) -> Gone:
    """Delete conversations whose messages and events are gone. The caller holds their locks."""
    gone = [ids.to_uuid(conversation.pk) for conversation in conversations]
    with connection.cursor() as cursor:
        cursor.execute(_DELETE_CONVERSATIONS, [gone])
    return Gone(_sorted(b"".join(id_.bytes for id_ in gone)))


@transaction.atomic
def delete_message(message: Message) -> None:
    """Delete one message because somebody asks for it; its conversation learns which is now its newest.

    Raises Held.
    """
    one = Message.objects.filter(pk=message.pk)
    _begin(message.app_id, one)
    mine = Conversation.objects.filter(pk=message.conversation_id)
    list(mine.select_for_update(no_key=True))
    delete_messages(one, is_patient=True)
    renew_newest(mine.filter(newest_accept_time__lte=message.accept_time))


@transaction.atomic
def delete_event(event: ConversationEvent) -> None:
    """Delete one event because somebody asks for it. Raises Held."""
    one = ConversationEvent.objects.filter(pk=event.pk)
    _begin(event.app_id, one)
    delete_events(one, is_patient=True)


@transaction.atomic
def delete_conversation(conversation: Conversation, *, now: datetime) -> None:
    """Delete a conversation with all its messages and events because somebody asks for it, and tell of it.

    Raises Held.
    """
    one = Conversation.objects.filter(pk=conversation.pk)
    _begin(conversation.app_id, one)
    one.select_for_update().get()
    delete_messages(Message.objects.filter(conversation=conversation), is_patient=True)
    delete_events(ConversationEvent.objects.filter(conversation=conversation), is_patient=True)
    conversing.tell_deleted(conversation, now=now)
    delete_conversations([conversation])


def renew_newest(conversations: QuerySet[Conversation]) -> None:
    """After messages of these conversations went: their newest is what is left, or none."""
    left = Message.objects.filter(conversation=OuterRef("pk")).order_by("-accept_time").values("accept_time")
    locked = conversations.select_for_update(no_key=True).values_list(Value(1))
    if list(locked):  # who writes to them now is seen below
        conversations.update(newest_accept_time=Subquery(left[:1]))


def _begin(app_id: str, rows: QuerySet[Any]) -> None:
    """One at a time in an app, the purge's batches and a new legal hold included: each sees what the others did."""
    App.objects.select_for_update(no_key=True).get(pk=app_id)
    visibility.refuse_if_held(rows)


def _delete(rows: QuerySet[Any], is_patient: bool, is_most: bool) -> Gone:
    if rows.query.is_empty():
        return Gone()
    fragment, parameters = _waiting(rows) if is_patient else _skipping(rows)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {fragment} {_IDS}", parameters)
        found = cursor.fetchall()
    # Statements of their own: they see what was written about the rows until they were locked.
    parts = [_with_satellites(bytes(gone), app, first, last, is_most) for gone, app, first, last in found]
    return sum(parts[1:], parts[0]) if parts else Gone()


def _with_satellites(gone: bytes, app: UUID, first: datetime, last: datetime, is_most: bool) -> Gone:
    """What was written about an app's rows of this time goes too. It carries their accept time: that range is read."""
    gone = _sorted(gone)
    terms: dict[str, Any] = {"app": app, "first": first, "last": last}
    # To plan a delete from a table of many partitions costs more than a batch of rows, and most find nothing there:
    # so it is looked first, by a statement that is planned once for each connection.
    ((found,),) = statements.run(_look(), terms)
    tables = tuple(table for table, is_there in zip(_tables(), found, strict=True) if is_there)
    if not tables:
        return Gone(gone)
    if is_most:
        (counts,) = statements.run(_of_none_left(tables), terms)
    else:
        (counts,) = statements.run(_of_gone(tables), terms | {"gone": [*_each(gone)]})
    return Gone(gone, {table: count for table, count in zip(tables, counts, strict=True) if count})


def _waiting(rows: QuerySet[Any]) -> tuple[str, Any]:
    query = rows.order_by().query.chain(DeleteQuery)
    delete, parameters = query.get_compiler(connection=connection).as_sql()
    return _DELETE.format(delete=delete), parameters


def _skipping(rows: QuerySet[Any]) -> tuple[str, Any]:
    picked, parameters = rows.select_for_update(skip_locked=True).values_list("pk").query.sql_with_params()
    table = connection.ops.quote_name(rows.model._meta.db_table)
    return _DELETE_FREE.format(picked=picked, table=table), parameters


def _each(gone: bytes) -> Iterator[UUID]:
    return (UUID(bytes=gone[place : place + ID_BYTES]) for place in range(0, len(gone), ID_BYTES))


def _sorted(gone: bytes) -> bytes:
    return b"".join(sorted(gone[place : place + ID_BYTES] for place in range(0, len(gone), ID_BYTES)))


@cache
def _tables() -> tuple[str, ...]:
    return tuple(model._meta.db_table for model in satellites())


@cache
def _look() -> str:
    """Which tables have something about an app's messages of some time."""
    there = ", ".join(
        f"EXISTS (SELECT FROM {connection.ops.quote_name(table)}"
        " WHERE app_id = %(app)s AND accept_time BETWEEN %(first)s AND %(last)s)"
        for table in _tables()
    )
    return f"SELECT ARRAY[{there}]"


@cache
def _of_gone(tables: tuple[str, ...]) -> str:
    """Deletes what was written about the messages of these ids."""
    gone = "gone (id) AS MATERIALIZED (SELECT unnest(%(gone)s::uuid[]))"
    return _deletion(gone, tables, " USING gone", "row.message_id = gone.id")


@cache
def _of_none_left(tables: tuple[str, ...]) -> str:
    """Deletes what was written about messages of a time that are not there any more."""
    left = " UNION ALL ".join(
        f"SELECT id FROM {connection.ops.quote_name(model._meta.db_table)} AS row WHERE {_IN_RANGE}"  # noqa: S608
        for model in (Message, ConversationEvent)
    )
    is_gone = "row.message_id IS NOT NULL AND row.message_id NOT IN (SELECT id FROM left_over)"
    return _deletion(f"left_over AS MATERIALIZED ({left})", tables, "", is_gone)


def _deletion(known: str, tables: tuple[str, ...], using: str, condition: str) -> str:
    """One round trip for all of them; the rows of each are counted."""
    parts = ", ".join(
        f"of_{number} AS (DELETE FROM {connection.ops.quote_name(table)} AS row{using}"  # noqa: S608  # our tables
        f" WHERE {_IN_RANGE} AND {condition} RETURNING 1)"
        for number, table in enumerate(tables)
    )
    numbers = ", ".join(f"(SELECT count(*) FROM of_{number})" for number in range(len(tables)))  # noqa: S608
    return f"WITH {known}, {parts} SELECT {numbers}"
