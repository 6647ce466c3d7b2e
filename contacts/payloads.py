"""How contacts look on the wire, in answers and in callbacks alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from contacts.models import ChannelIdentity, ConsentRecord, Contact, ContactSettings
from projects.requests.wire import timestamp

NAMELESS = "Unknown"  # wire contract 3.4
# What is told of a contact. Lists read these columns and no instances, which would cost more than the query.
CONTACT = ("id", "channel_priority", "display_name", "email", "external_id", "language", "metadata")


def contact(row: Contact) -> dict[str, Any]:
    """The contract's Contact."""
    known = [channel_identity(one.channel, one.identity, one.app_id or "") for one in row.identities.all()]
    return contact_with(known, row)


def contact_with(identities: Sequence[dict[str, str]], row: Any) -> dict[str, Any]:
    """The same of a row that has the columns of `CONTACT`, whose identities are known."""
    return {
        "id": row.id,
        "channel_identities": identities,
        "channel_priority": row.channel_priority,
        "display_name": row.display_name or NAMELESS,
        "email": row.email,
        "external_id": row.external_id,
        "language": row.language,
        "metadata": row.metadata,
    }


def channel_identity(channel: str, identity: str, app_id: str = "") -> dict[str, str]:
    """The contract's ChannelIdentity; `app_id` is empty where the channel does not scope identities to apps."""
    return {"channel": channel, "identity": identity, "app_id": app_id}


def duplicated(identities: Iterable[tuple[dict[str, str], list[str]]]) -> dict[str, Any]:
    """The body of CONTACT_IDENTITIES_DUPLICATION: each identity with the ids of all who have it."""
    return {"duplicated_identities": [known | {"contact_ids": ids} for known, ids in identities]}


def consent(
    *, request_id: str, contact_id: str, channel: str, identity: str, status: str, processing_mode: str
) -> dict[str, Any]:
    """The body of OPT_OUT and of OPT_IN."""
    return {
        "request_id": request_id,
        "contact_id": contact_id,
        "channel": channel,
        "identity": identity,
        "status": status,
        "processing_mode": processing_mode,
    }


def audit_record(row: ConsentRecord, *, project_id: UUID) -> dict[str, str]:
    """The contract's AuditRecord."""
    return {
        "origin": row.origin,
        "operation": row.operation,
        "list_type": row.list_type,
        "project_id": str(project_id),
        "app_id": row.app_id,
        "datetime": timestamp(row.recorded_at),
    }


def identity_conflict(identity: str, holders: Iterable[ChannelIdentity]) -> dict[str, Any]:
    """An identity that several contacts share, with the channels and the contacts that have it."""
    rows = list(holders)
    return {
        "identity": identity,
        "channels": sorted({row.channel for row in rows}),
        "contact_ids": sorted({row.contact_id for row in rows}),
    }


def contact_settings(row: ContactSettings) -> dict[str, Any]:
    """The contract's project settings, of which there is one group."""
    return {"contact_settings": {"unified_contact_id_enabled": row.unified_contact_id_enabled}}
