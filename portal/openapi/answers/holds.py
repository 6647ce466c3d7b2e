"""Legal holds: our extension of the contract."""

from __future__ import annotations

from typing import Final

from portal.openapi.shapes import (
    FLAG,
    ID,
    ID_OR_EMPTY,
    TEXT,
    TIME,
    Shape,
    many,
    member,
    or_null,
    page,
    record,
    ref,
)
from retention.models import HoldScope

_BY_KEY: Final[Shape] = {**ID_OR_EMPTY, "description": "The access key; empty: in the portal."}

HOLDS: Final = {
    "LegalHold": record(
        "What must not be deleted, whatever a policy says or a client asks.",
        id=ID,
        scope=member(HoldScope.values),
        app_id=ID_OR_EMPTY,
        contact_id=ID_OR_EMPTY,
        conversation_id=ID_OR_EMPTY,
        start_time=or_null(TIME),
        end_time=or_null(TIME),
        matter={**TEXT, "examples": ["Doe v. Roe"]},
        text=TEXT,
        create_time=TIME,
        placed_by_key=_BY_KEY,
        active=FLAG,
        release=or_null(record("Its end.", text=TEXT, release_time=TIME, released_by_key=_BY_KEY)),
    ),
    "LegalHolds": page("Holds, newest first.", legal_holds=many(ref("LegalHold"))),
}
