"""Contacts in lists: a page costs two statements, however many contacts and identities there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from contacts import payloads
from outbox import statements
from projects import ids

_IDENTITIES: Final = """
    SELECT contact_id, channel, identity, app_id FROM contacts_channelidentity
    WHERE contact_id = ANY(%(contacts)s) ORDER BY contact_id, position, id
"""


def shown(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """The contract's Contacts, of rows that have the columns of `payloads.CONTACT`."""
    known: dict[str, list[dict[str, str]]] = defaultdict(list)
    contacts = [ids.to_uuid(row.id) for row in rows]
    for contact_id, channel, identity, app_id in statements.run(_IDENTITIES, {"contacts": contacts}):
        scope = ids.from_uuid(app_id) if app_id else ""
        known[ids.from_uuid(contact_id)].append(payloads.channel_identity(channel, identity, scope))
    return [payloads.contact_with(known[row.id], row) for row in rows]
