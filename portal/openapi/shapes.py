"""The words in which answers are written down: JSON Schema, as OpenAPI 3.1 has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

Shape = dict[str, Any]

EXAMPLE_ID: Final = "01K3ZQ8F5N7VQ2M4T6XW9Y0ABC"
EXAMPLE_PROJECT: Final = "0b7c7a9e-4a53-4c3a-9f0d-2f4f0f6d9a11"


def ref(name: str) -> Shape:
    """A component by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(description: str = "", optional: Mapping[str, Shape] | None = None, /, **always: Shape) -> Shape:
    """An object whose fields are there `always`, but for the optional ones. It may get more of them one day."""
    shape: Shape = {"type": "object", "properties": {**always, **(optional or {})}}
    if always:
        shape["required"] = list(always)
    return {"description": description, **shape} if description else shape


def one_kind(shape: Shape, **kinds: Shape) -> Shape:
    """The record with exactly one of these fields besides."""
    return {
        **shape,
        "properties": {**shape["properties"], **kinds},
        "oneOf": [{"required": [kind]} for kind in kinds],
    }


def many(item: Shape) -> Shape:
    """A list."""
    return {"type": "array", "items": item}


def member(known: Iterable[str], **more: Any) -> Shape:
    """A word out of these."""
    return {"type": "string", "enum": [str(one) for one in known], **more}


def page(description: str, /, **items: Shape) -> Shape:
    """A list's page, with the way to the next."""
    return record(description, **items, next_page_token=NEXT_PAGE)


def or_null(shape: Shape) -> Shape:
    """The same, or nothing."""
    return {"anyOf": [shape, {"type": "null"}]}


ANY_OBJECT: Final[Shape] = {"type": "object"}
TEXT: Final[Shape] = {"type": "string"}
FLAG: Final[Shape] = {"type": "boolean"}
WHOLE: Final[Shape] = {"type": "integer"}
COUNT: Final[Shape] = {"type": "integer", "minimum": 0}
URL: Final[Shape] = {"type": "string", "examples": ["https://example.com/callbacks"]}
ID: Final[Shape] = {"type": "string", "description": "A ULID.", "examples": [EXAMPLE_ID]}
ID_OR_EMPTY: Final[Shape] = {"type": "string", "description": "A ULID, or empty.", "examples": [EXAMPLE_ID]}
PROJECT_ID: Final[Shape] = {"type": "string", "format": "uuid", "examples": [EXAMPLE_PROJECT]}
TIME: Final[Shape] = {
    "type": "string",
    "format": "date-time",
    "pattern": "Z$",
    "description": "RFC 3339 in UTC, to the microsecond.",
    "examples": ["2026-02-03T04:05:06.123456Z"],
}
MASKED: Final[Shape] = {
    "type": "string",
    "description": "Masked; empty where none is set. Sent back as it is, it keeps the secret.",
    "examples": ["****9f2a"],
}
NEXT_PAGE: Final[Shape] = {
    "type": "string",
    "description": "The `page_token` of the next page; empty on the last.",
    "examples": [""],
}
