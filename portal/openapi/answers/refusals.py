"""What is refused, and how."""

from __future__ import annotations

from typing import Final

from portal.errors import STATUSES
from portal.openapi.shapes import (
    TEXT,
    many,
    member,
    record,
)

_VIOLATIONS: Final = record(
    "Where the request is wrong.",
    **{
        "@type": {"type": "string", "const": "type.googleapis.com/google.rpc.BadRequest"},
        "fieldViolations": many(
            record(field={**TEXT, "examples": ["app_id"]}, description={**TEXT, "examples": ["is required"]})
        ),
    },
)

REFUSALS: Final = {
    "Error": record(
        "Every refusal of the API.",
        error=record(
            code={"type": "integer", "examples": [400]},
            message={**TEXT, "examples": ["app_id: is required"]},
            status=member(sorted({*STATUSES.values(), "FAILED_PRECONDITION"}), examples=["INVALID_ARGUMENT"]),
            details=many(_VIOLATIONS),
        ),
    ),
    "TokenError": record(
        "A refusal of the token endpoint: RFC 6749, 5.2.",
        error={**TEXT, "examples": ["invalid_client"]},
        error_description={**TEXT, "examples": ["The key id or the key secret is wrong."]},
    ),
}
