"""PATCH as the clients mean it: which fields of the body count, and what becomes of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from projects.requests.inputs import refuse_camel_case


def changes(
    request: Request, *, current: Mapping[str, Any], empty: Mapping[str, Any], fixed: Collection[str] = ()
) -> dict[str, Any]:
    """The top-level fields to write, whole.

    Without a mask: each key of the body replaces its field. With one: only masked fields change; a masked
    field that the body leaves out or sets to null goes back to `empty`. A dotted path changes one key of an
    object and keeps the rest of `current`. `empty` names every field that can be written; `fixed` those that
    a client may send along and nobody changes. Raises ValidationError for an unknown path, and for camelCase.
    """
    body = cast("Mapping[str, Any]", request.data)
    refuse_camel_case(body, known=empty.keys())
    paths = _paths(request)
    if paths is None:
        return {name: empty[name] if body[name] is None else body[name] for name in empty if name in body}
    written: dict[str, Any] = {}
    for path in paths:
        name, _, inner = path.partition(".")
        if name in fixed:
            continue
        if name not in empty or (inner and not _holds(empty[name], current.get(name), inner)):
            raise ValidationError({"update_mask": [f"unknown field: {path}"]})
        if not inner:
            value = body.get(name)
            written[name] = empty[name] if value is None else value
        elif name not in paths:  # else the whole field is replaced anyway
            whole = written.setdefault(name, dict(current.get(name) or {}))
            _copy(inner, source=body.get(name), target=whole, empty=empty[name])
    return written


def _paths(request: Request) -> list[str] | None:
    """`update_mask=a,b` (repeated or not), or .NET's `update_mask.paths=a&update_mask.paths=b`."""
    given = request.query_params.getlist("update_mask") + request.query_params.getlist("update_mask.paths")
    paths = [path.strip() for text in given for path in text.split(",") if path.strip()]
    return paths or None


def _holds(empty: Any, current: Any, inner: str) -> bool:
    known = {
        *(empty if isinstance(empty, Mapping) else ()),
        *(current if isinstance(current, Mapping) else ()),
    }
    return inner in known


def _copy(inner: str, *, source: Any, target: dict[str, Any], empty: Any) -> None:
    value = source.get(inner) if isinstance(source, Mapping) else None
    if value is None:
        value = empty.get(inner) if isinstance(empty, Mapping) else None
    if value is None:
        target.pop(inner, None)
    else:
        target[inner] = value
