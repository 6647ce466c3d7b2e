"""What stands in paths, query strings and headers, each said once."""

from __future__ import annotations

from typing import Any, Final

from contacts.models import ConsentList
from conversations.api.bodies import MetadataStrategy, Source
from conversations.idempotency import LONGEST_KEY
from portal.openapi.shapes import EXAMPLE_ID, EXAMPLE_PROJECT, TEXT, Shape, member

Parameter = dict[str, Any]

_PATH: Final[dict[str, tuple[str, Shape]]] = {
    "project_id": ("The project that the key opens.", {**TEXT, "examples": [EXAMPLE_PROJECT]}),
    "list_type": ("Which list.", member(ConsentList.values)),
    "identity": (
        "A phone number, or what else the channel knows somebody by.",
        {**TEXT, "examples": ["46700000001"]},
    ),
    "template_id": ("The template's id, which its maker may have chosen.", {**TEXT, "examples": ["welcome"]}),
}
_MASK: Final = (
    "Which fields to write, separated by commas: one that the body leaves out goes back to its default, a dotted "
    "path writes one key of an object. Without it every field of the body is written."
)
OTHERS: Final[dict[str, Parameter]] = {
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "An extension: under the same key a message is sent once within 24 hours.",
        # Printable ASCII, as header lines carry it.
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"},
    },
    "messages_source": {
        "name": "messages_source",
        "in": "query",
        "description": "Which store the message is in.",
        "schema": member(Source, default=Source.CONVERSATION_SOURCE),
    },
    "metadata_update_strategy": {
        "name": "metadata_update_strategy",
        "in": "query",
        "description": "Whether `metadata_json` is replaced, or merged as RFC 7396 has it.",
        "schema": member(MetadataStrategy, default=MetadataStrategy.REPLACE),
    },
}
UPDATE_MASK: Final[Parameter] = {
    "name": "update_mask", "in": "query", "description": _MASK, "schema": {**TEXT, "examples": ["display_name"]},
}  # fmt: skip


def in_path(name: str) -> Parameter:
    """A part of the path."""
    described = f"The {name.removesuffix('_id')}'s id.", {**TEXT, "examples": [EXAMPLE_ID]}
    description, shape = _PATH.get(name, described)
    return {"name": name, "in": "path", "required": True, "description": description, "schema": shape}


def paging(*, first: int, largest: int) -> list[Parameter]:
    """How a list is asked for its pages."""
    size = {"type": "integer", "minimum": 1, "default": first}
    return [
        {
            "name": "page_size",
            "in": "query",
            "description": f"How many at once; more than {largest} are not given.",
            "schema": size,
        },
        {
            "name": "page_token",
            "in": "query",
            "description": "The `next_page_token` of the page before.",
            "schema": TEXT,
        },
    ]


# The same where a question is too long for a query string.
PAGING_IN_BODY: Final[dict[str, Shape]] = {
    one["name"]: {**one["schema"], "description": one["description"]}
    for one in paging(first=10, largest=1000)
}
