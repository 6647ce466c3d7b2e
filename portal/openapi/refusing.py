"""Which refusals an operation may give, and what each says."""

from __future__ import annotations

from typing import Any, Final

from portal.errors import STATUSES
from portal.openapi.operations import Operation
from portal.openapi.shapes import Shape, ref

_JSON: Final = "application/json"
# Of any operation below a project.
_ALWAYS: Final = (400, 401, 403, 429, 500, 503)
_MEANINGS: Final = {
    400: "The request is wrong, or not in the present state (FAILED_PRECONDITION).",
    401: "No key, a wrong one, or an expired token.",
    403: "The key opens another project.",
    404: "There is nothing with such an id.",
    409: "There is one already.",
    413: "The body is over 1 MB.",
    429: "Too many requests, or a full queue.",
    500: "Our mistake.",
    503: "The database cannot be asked at the moment.",
}
_RETRY_AFTER: Final[Shape] = {
    "retry-after": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
}
_CHALLENGE: Final[Shape] = {
    "www-authenticate": {
        "description": "Says `expired` where another token is all that is needed.",
        "schema": {"type": "string"},
    }
}
_HEADERS: Final = {401: _CHALLENGE, 429: _RETRY_AFTER, 503: _RETRY_AFTER}


def codes(line: Operation, path: str) -> list[int]:
    """Of one operation: an id that it is given may not exist, a body may be too large."""
    names_something = path.count("{") > 1 or line.body
    found = {*_ALWAYS, *line.refusals, *([404] if names_something else []), *([413] if line.body else [])}
    return sorted(found)


def references(found: list[int]) -> dict[str, Any]:
    """The refusals by their components."""
    return {str(code): {"$ref": f"#/components/responses/{_name(code)}"} for code in found}


def components() -> dict[str, Any]:
    """Each refusal in the API's envelope."""
    return {_name(code): _refusal(code, meaning) for code, meaning in _MEANINGS.items()}


def of_token() -> dict[str, Any]:
    """The token endpoint's own, as OAuth has them; what it cannot even read is refused in the envelope."""
    meanings = {
        400: "The form is not what RFC 6749, 4.4 asks for.",
        401: "The key is wrong, or not named.",
        429: "Too many requests, or too many wrong secrets for this key.",
    }
    refused = {str(code): _answer(code, text, "TokenError") for code, text in meanings.items()}
    return refused | references([413, 500, 503])


def _refusal(code: int, meaning: str) -> dict[str, Any]:
    answer = _answer(code, meaning, "Error")
    said = {"code": code, "message": meaning, "status": STATUSES[code], "details": []}
    answer["content"][_JSON]["example"] = {"error": said}
    return answer


def _answer(code: int, meaning: str, component: str) -> dict[str, Any]:
    headers = {"headers": _HEADERS[code]} if code in _HEADERS else {}
    return {"description": meaning, **headers, "content": {_JSON: {"schema": ref(component)}}}


def _name(code: int) -> str:
    """`NOT_FOUND` is NotFound; a body too large shares its status with too many requests."""
    if code == 413:
        return "BodyTooLarge"
    return "".join(word.capitalize() for word in STATUSES[code].split("_"))
