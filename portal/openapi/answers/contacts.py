"""Contacts, their consents, and a project's settings."""

from __future__ import annotations

from typing import Final

from contacts.models import ConsentList, ConsentRecord
from portal.openapi.shapes import (
    FLAG,
    ID,
    PROJECT_ID,
    TEXT,
    TIME,
    Shape,
    many,
    member,
    page,
    record,
    ref,
)

_IDENTITY: Final[Shape] = {**TEXT, "examples": ["46700000001"]}

CONTACTS: Final = {
    "ChannelIdentity": record(
        "How a contact is known on one channel.",
        channel=ref("Channel"),
        identity=_IDENTITY,
        app_id={
            **TEXT,
            "description": "Empty where the channel does not scope identities to apps.",
            "examples": [""],
        },
    ),
    "Contact": record(
        "A person: a collection of channel identities, shared by the project's apps.",
        id=ID,
        channel_identities=many(ref("ChannelIdentity")),
        channel_priority=many(ref("Channel")),
        display_name={**TEXT, "examples": ["Ada"]},
        email={**TEXT, "examples": ["ada@example.com"]},
        external_id={**TEXT, "examples": ["customer-7"]},
        language=ref("Language"),
        metadata={**TEXT, "examples": ["prefers mornings"]},
    ),
    "Contacts": page("Contacts, oldest first.", contacts=many(ref("Contact"))),
    "IdentityConflicts": page(
        "Numbers that several contacts share.",
        conflicts=many(record(identity=_IDENTITY, channels=many(ref("Channel")), contact_ids=many(ID))),
    ),
    "ConsentIdentities": page("Identities on a list.", identities=many(record(identity=_IDENTITY))),
    "ConsentHistory": record(
        "Every change of an app's lists for one identity, oldest first.",
        identity=record(identity=_IDENTITY),
        audit_records=many(
            record(
                origin=member(ConsentRecord.Origin.values),
                operation=member(ConsentRecord.Operation.values),
                list_type=member(ConsentList.values),
                project_id=PROJECT_ID,
                app_id=ID,
                datetime=TIME,
            )
        ),
    ),
    "Settings": record(
        "The project's settings.",
        project_id=PROJECT_ID,
        settings=record(contact_settings=record(unified_contact_id_enabled=FLAG)),
    ),
    "ChannelProfile": record(
        "How the channel knows somebody.", profile_name={**TEXT, "examples": ["Ada L."]}
    ),
}
