"""The copy of everything that is stored about a contact, made while it is fetched: nothing is stored twice."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any, Final

import orjson
from django.db.models import Model

from contacts import payloads as contact_payloads
from contacts.models import Consent, ConsentRecord, Contact
from conversations import deleting, payloads
from conversations.events import payloads as event_payloads
from conversations.models import Conversation, ConversationEvent, Message
from projects.requests.wire import timestamp
from retention.privacy.tracing import Person

COLUMNS = [
    "accept_time",
    "app_id",
    "conversation_id",
    "direction",
    "channel",
    "identity",
    "content",
    "metadata",
]
AT_ONCE: Final = 500  # rows that are in memory together
IN_THE_API_S_SHAPE: Final = (Consent, ConsentRecord)


def bundle(contact: Contact, *, now: datetime) -> Iterator[bytes]:
    """One JSON object, in pieces: the contact, and by kind all that is stored about it, in the API's own shapes.

    What the API has no shape for comes as it is stored, by the name of its table: routing, receipts, callbacks and so on.
    """
    person = Person.of(contact)
    yield b'{"made_at":' + orjson.dumps(timestamp(now))
    yield b',"contact":' + orjson.dumps(contact_payloads.contact(contact))
    yield from _list("conversations", map(payloads.conversation, _conversations(person)))
    yield from _list("messages", (_message(row, contact) for row in _messages(person)))
    yield from _list("events", map(_event, _events(person)))
    yield from _list("opt_outs", (_consent(row) for row in person.consents().order_by("pk")))
    records = person.consent_records().order_by("pk")
    yield from _list(
        "opt_out_history",
        (
            contact_payloads.audit_record(row, project_id=contact.project_id) | {"identity": row.identity}
            for row in records
        ),
    )
    for table, rows in _records(person):
        yield from _list(table, map(_as_stored, rows))
    yield b"}\n"


def messages_table(contact: Contact) -> Iterator[str]:
    """The messages as CSV, for people who have no program for JSON; a line at a time."""
    yield _line(COLUMNS)
    for row in _messages(Person.of(contact)):
        yield _line(
            [
                timestamp(row.accept_time),
                row.app_id,
                row.conversation_id or "",
                row.direction,
                row.channel,
                row.identity,
                orjson.dumps(row.content).decode(),
                row.metadata,
            ]
        )


def _list(name: str, items: Iterable[Any]) -> Iterator[bytes]:
    yield f',"{name}":['.encode()
    for number, item in enumerate(items):
        yield (b",\n" if number else b"\n") + orjson.dumps(item)
    yield b"]"


def _conversations(person: Person) -> Iterable[Conversation]:
    return person.conversations().order_by("pk").iterator(chunk_size=AT_ONCE)


def _messages(person: Person) -> Iterable[Message]:
    return person.messages().order_by("accept_time", "pk").iterator(chunk_size=AT_ONCE)


def _events(person: Person) -> Iterable[ConversationEvent]:
    events = person.events().select_related("conversation").order_by("accept_time", "pk")
    return events.iterator(chunk_size=AT_ONCE)


def _message(row: Message, contact: Contact) -> dict[str, Any]:
    return payloads.message(row, contact_id=contact.pk if row.conversation_id else "") | {
        "app_id": row.app_id,
        "correlation_id": row.correlation_id,
        "conversation_metadata": row.conversation_metadata,
        "channel_message_id": row.channel_message_id,
        "channel_properties": row.channel_properties,
        "callback_url": row.callback_url,
    }


def _event(row: ConversationEvent) -> dict[str, Any]:
    return event_payloads.event(row) | {
        "app_id": row.app_id,
        "metadata": row.metadata,
        "callback_url": row.callback_url,
    }


def _records(person: Person) -> Iterator[tuple[str, Iterable[Model]]]:
    """What was written about the person, and about what was said, by the name of its table."""
    others = {rows.model: rows for rows in person.others().values() if rows.model not in IN_THE_API_S_SHAPE}
    satellites = deleting.satellites()
    for model in dict.fromkeys([*satellites, *others]):
        about_said = _about_said(person, model) if model in satellites else ()
        of_the_person = others[model].order_by("pk").iterator(chunk_size=AT_ONCE) if model in others else ()
        yield model._meta.db_table, chain(about_said, of_the_person)


def _about_said(person: Person, model: type[Any]) -> Iterator[Model]:
    for said in (person.messages(), person.events()):
        rows = model._default_manager.filter(message_id__in=said.values("pk"))
        yield from rows.order_by("pk").iterator(chunk_size=AT_ONCE)


def _as_stored(row: Model) -> dict[str, Any]:
    return {field.attname: _plain(getattr(row, field.attname)) for field in row._meta.concrete_fields}


def _plain(value: Any) -> Any:
    """As JSON has it; orjson knows moments and UUIDs itself."""
    return bytes(value).decode(errors="backslashreplace") if isinstance(value, bytes | memoryview) else value


def _consent(row: Any) -> dict[str, str]:
    return {
        "app_id": row.app_id,
        "channel": row.channel,
        "identity": row.identity,
        "list_type": row.list_type,
        "since": timestamp(row.created_at),
    }


def _line(cells: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow([_harmless(cell) for cell in cells])
    return written.getvalue()


def _harmless(cell: str) -> str:
    """A spreadsheet takes a cell that begins so for a formula, and would run it."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
