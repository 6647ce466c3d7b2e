"""How contacts look on the wire, in answers and in callbacks alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contacts.models import Contact

NAMELESS = "Unknown"  # wire contract 3.4


def contact(row: Contact) -> dict[str, Any]:
    """The contract's Contact."""
    return {
        "id": row.id,
        "channel_identities": [
            channel_identity(known.channel, known.identity, known.app_id or "")
            for known in row.identities.all()
        ],
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


def opt_out(
    *, request_id: str, contact_id: str, channel: str, identity: str, processing_mode: str
) -> dict[str, Any]:
    """The body of OPT_OUT."""
    return {
        "request_id": request_id,
        "contact_id": contact_id,
        "channel": channel,
        "identity": identity,
        "status": "OPT_OUT_SUCCEEDED",
        "processing_mode": processing_mode,
    }
