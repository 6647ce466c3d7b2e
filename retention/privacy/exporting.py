"""The copy of everything that is stored about a contact, made while it is fetched: nothing is stored twice."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import orjson

from contacts import payloads as contact_payloads
from contacts.models import Contact
from conversations import payloads
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


def bundle(contact: Contact, *, now: datetime) -> Iterator[bytes]:
    """One JSON object, in pieces: the contact, and by kind all that is stored about it, in the API's own shapes."""
    person = Person.of(contact)
    yield b'{"made_at":' + orjson.dumps(timestamp(now))
    yield b',"contact":' + orjson.dumps(contact_payloads.contact(contact))
    yield from _list("conversations", map(payloads.conversation, _conversations(person)))
    yield from _list("messages", (_message(row, contact) for row in _messages(person)))
    yield from _list("events", map(event_payloads.event, _events(person)))
    yield from _list("opt_outs", (_consent(row) for row in person.consents().order_by("pk")))
    records = person.consent_records().order_by("pk")
    yield from _list(
        "opt_out_history",
        (
            contact_payloads.audit_record(row, project_id=contact.project_id) | {"identity": row.identity}
            for row in records
        ),
    )
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
    return person.conversations().order_by("pk").iterator(chunk_size=500)


def _messages(person: Person) -> Iterable[Message]:
    return person.messages().order_by("accept_time", "pk").iterator(chunk_size=500)


def _events(person: Person) -> Iterable[ConversationEvent]:
    events = person.events().select_related("conversation").order_by("accept_time", "pk")
    return events.iterator(chunk_size=500)


def _message(row: Message, contact: Contact) -> dict[str, Any]:
    return payloads.message(row, contact_id=contact.pk if row.conversation_id else "") | {
        "app_id": row.app_id
    }


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
