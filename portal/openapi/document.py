"""The whole description, made once in each process."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import orjson
import yaml
from drf_spectacular.generators import SchemaGenerator

from portal.openapi import answers, callbacks, operations, refusing
from portal.openapi.examples import example
from portal.openapi.shapes import Shape

_SECURITY: Final = {
    "oauth2": {
        "type": "oauth2",
        "description": "A bearer token for an access key; `POST /oauth2/token` with HTTP Basic gives one.",
        "flows": {"clientCredentials": {"tokenUrl": "/oauth2/token", "scopes": {}}},
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "The key id and the key secret, with every request.",
    },
}
_TAGS: Final = {
    "Token": "An access key becomes a bearer token.",
    "Apps": "What an API user talks through: credentials, policies, settings.",
    "Legal holds": "What must not be deleted, whatever the policies say: an extension.",
    "Webhooks": "Where an app's events are told.",
    "Deliveries": "Each event on its way to a webhook, to be looked at and sent again: an extension.",
    "Contacts": "People, shared by the project's apps.",
    "Consents": "Who opted out of an app's messages.",
    "Settings": "One of each project, or none.",
    "Messages": "Sent, read, changed, deleted.",
    "Conversations": "Messages between an app and a contact.",
    "Events": "What an app or a contact does beside writing.",
    "Capability": "What a recipient's channels can do.",
    "Templates": "Messages with blanks, in several languages.",
    "Callbacks": "What this server tells your webhooks.",
}


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """What is not read off the views: drf-spectacular's hook at the end of its work."""
    parts = result["components"]
    parts["schemas"] = {**answers.components(), "Envelope": callbacks.ENVELOPE, **parts.get("schemas", {})}
    parts["responses"] = refusing.components()
    parts["securitySchemes"] = _SECURITY
    _exemplify(result["paths"], among=parts["schemas"])
    tags = [{"name": name, "description": _TAGS[name]} for name in (*operations.OPERATIONS, "Callbacks")]
    return {**result, "tags": tags, "webhooks": callbacks.webhooks()}


def _exemplify(paths: dict[str, Any], *, among: dict[str, Shape]) -> None:
    """Give every answer its example."""
    for operation in (operation for path in paths.values() for operation in path.values()):
        answer = operation["responses"]["200"]["content"]["application/json"]
        answer["example"] = example(answer["schema"], among=among)


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    made: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return made


@cache
def as_json() -> bytes:
    """For programs."""
    return orjson.dumps(document())


@cache
def as_yaml() -> bytes:
    """For people, and for tools that want it so."""
    text: str = yaml.safe_dump(document(), allow_unicode=True, sort_keys=False, width=120)
    return text.encode()
