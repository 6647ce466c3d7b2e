"""The one place where messages and events are deleted, and with them everything that was written about them."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.sql import DeleteQuery, UpdateQuery

from conversations import conversing, visibility
from conversations.models import Conversation, ConversationEvent, Message
from outbox import statements
from projects import ids
from projects.models import App
from webhooks.models import OfMessage

Statement = tuple[str, tuple[Any, ...]]  # with its parameters

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What went because somebody asked for it."""

    messages: Gone = field(default_factory=Gone)
    conversations: Gone = field(default_factory=Gone)
    events: Gone = field(default_factory=Gone)
    by_key: str  # that they asked with


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


def deletion(rows: QuerySet[Any]) -> Statement:
    """The `DELETE` of messages or events, for a statement that asks it for the ids and gives them to `with_satellites`.

    It waits for whoever has locked one of the rows.
    """
    query = rows.order_by().query.chain(DeleteQuery)
    delete, parameters = query.get_compiler(connection=connection).as_sql()
    return delete, tuple(parameters)


def forgetting(conversations: QuerySet[Conversation]) -> Statement:
    """The `UPDATE` that tells conversations that they have no message left, for whoever knows that it is so."""
    query: Any = conversations.order_by().query.chain(UpdateQuery)
    query.add_update_values({"newest_accept_time": None})
    update, parameters = query.get_compiler(connection=connection).as_sql()
    return update, tuple(parameters)


def with_satellites(gone: bytes, app: UUID, first: datetime, last: datetime, is_most: bool) -> Gone:
    """Delete what was written about rows of this time that the caller's transaction has deleted.

    It carries their accept time: that range is read.
    """
    gone = _sorted(gone)
    terms: dict[str, Any] = {"app": app, "first": first, "last": last}
    # To plan a delete from a table of many partitions costs more than a batch of rows, and most find nothing there:
    # so it is looked first, by a statement that is planned once for each connection.
    ((found,),) = statements.run(_look(), terms)
    tables = tuple(table for table, is_there in zip(_tables(), found, strict=True) if is_there)
    if not tables:
        return Gone(gone)
    if is_most:
        counts = [statements.written(_of_none_left(table), terms) for table in tables]
    else:
        (counts,) = statements.run(_of_gone(tables), terms | {"gone": [*map(_uuid, _each(gone))]})
    return Gone(gone, {table: count for table, count in zip(tables, counts, strict=True) if count})


def delete_conversations(conversations: Iterable[Conversation]) -> Gone:
    """Delete conversations whose messages and events are gone. The caller holds their locks."""
    gone = [ids.to_uuid(conversation.pk) for conversation in conversations]
    with connection.cursor() as cursor:
        cursor.execute(_DELETE_CONVERSATIONS, [gone])
    return Gone(_sorted(b"".join(id_.bytes for id_ in gone)))


@transaction.atomic
def delete_message(message: Message, *, by_key: str, now: datetime) -> None:
    """Delete one message because somebody asks for it; its conversation learns which is now its newest.

    Raises Held.
    """
    one = Message.objects.filter(pk=message.pk)
    app = _begin(message.app_id, one)
    mine = Conversation.objects.filter(pk=message.conversation_id)
    list(mine.select_for_update(no_key=True))
    gone = delete_messages(one, is_patient=True)
    renew_newest(mine.filter(newest_accept_time__lte=message.accept_time))
    visibility.rules.put_on_record(app, Asked(messages=gone, by_key=by_key), now=now)


@transaction.atomic
def delete_event(event: ConversationEvent, *, by_key: str, now: datetime) -> None:
    """Delete one event because somebody asks for it. Raises Held."""
    one = ConversationEvent.objects.filter(pk=event.pk)
    app = _begin(event.app_id, one)
    gone = delete_events(one, is_patient=True)
    visibility.rules.put_on_record(app, Asked(events=gone, by_key=by_key), now=now)


@transaction.atomic
def delete_conversation(conversation: Conversation, *, by_key: str, now: datetime) -> None:
    """Delete a conversation with all its messages and events because somebody asks for it, and tell of it.

    Raises Held.
    """
    one = Conversation.objects.filter(pk=conversation.pk)
    app = _begin(conversation.app_id, one)
    one.select_for_update().get()
    messages = delete_messages(Message.objects.filter(conversation=conversation), is_patient=True)
    events = delete_events(ConversationEvent.objects.filter(conversation=conversation), is_patient=True)
    conversing.tell_deleted(conversation, now=now)
    gone = delete_conversations([conversation])
    asked = Asked(messages=messages, events=events, conversations=gone, by_key=by_key)
    visibility.rules.put_on_record(app, asked, now=now)


def renew_newest(conversations: QuerySet[Conversation]) -> None:
    """After messages of these conversations went: their newest is what is left, or none."""
    left = Message.objects.filter(conversation=OuterRef("pk")).order_by("-accept_time").values("accept_time")
    locked = conversations.select_for_update(no_key=True).values_list(Value(1))
    if list(locked):  # who writes to them now is seen below
        conversations.update(newest_accept_time=Subquery(left[:1]))


def _begin(app_id: str, rows: QuerySet[Any]) -> App:
    """One at a time in an app, the purge's batches and a new legal hold included: each sees what the others did."""
    app = App.objects.select_for_update(no_key=True).get(pk=app_id)
    visibility.refuse_if_held(rows)
    return app


def _delete(rows: QuerySet[Any], is_patient: bool, is_most: bool) -> Gone:
    if rows.query.is_empty():
        return Gone()
    fragment, parameters = _waiting(rows) if is_patient else _skipping(rows)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {fragment} {_IDS}", parameters)
        found = cursor.fetchall()
    # Statements of their own: they see what was written about the rows until they were locked.
    parts = [with_satellites(bytes(gone), app, first, last, is_most) for gone, app, first, last in found]
    return sum(parts[1:], parts[0]) if parts else Gone()


def _waiting(rows: QuerySet[Any]) -> Statement:
    delete, parameters = deletion(rows)
    return _DELETE.format(delete=delete), parameters


def _skipping(rows: QuerySet[Any]) -> Statement:
    picked, parameters = rows.select_for_update(skip_locked=True).values_list("pk").query.sql_with_params()
    table = connection.ops.quote_name(rows.model._meta.db_table)
    return _DELETE_FREE.format(picked=picked, table=table), parameters


def _each(gone: bytes) -> Iterable[bytes]:
    return struct.unpack(f"{ID_BYTES}s" * (len(gone) // ID_BYTES), gone)


def _uuid(id_: bytes) -> UUID:
    return UUID(bytes=id_)


def _sorted(gone: bytes) -> bytes:
    return b"".join(sorted(_each(gone)))


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
    """Deletes what was written about the messages of these ids, and counts what that is by table."""
    parts = ", ".join(
        f"of_{number} AS (DELETE FROM {connection.ops.quote_name(table)} AS row USING gone"  # noqa: S608  # our tables
        f" WHERE {_IN_RANGE} AND row.message_id = gone.id RETURNING 1)"
        for number, table in enumerate(tables)
    )
    numbers = ", ".join(f"(SELECT count(*) FROM of_{number})" for number in range(len(tables)))  # noqa: S608
    return f"WITH gone (id) AS MATERIALIZED (SELECT unnest(%(gone)s::uuid[])), {parts} SELECT {numbers}"


@cache
def _of_none_left(table: str) -> str:
    """Deletes what was written about messages of a time that are not there any more.

    A statement for each table: to hand its rows to another part of the same one costs more than to look again.
    """
    left = " UNION ALL ".join(
        f"SELECT id FROM {connection.ops.quote_name(model._meta.db_table)} AS row WHERE {_IN_RANGE}"  # noqa: S608
        for model in (Message, ConversationEvent)
    )
    return (
        f"DELETE FROM {connection.ops.quote_name(table)} AS row WHERE {_IN_RANGE}"  # noqa: S608
        f" AND row.message_id IS NOT NULL AND row.message_id NOT IN ({left})"
    )
