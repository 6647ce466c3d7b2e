"""How JSON travels: parsed strictly, answered compactly, times in RFC 3339."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

import orjson
from django.conf import settings
from django.http import QueryDict
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

if TYPE_CHECKING:
    from _typeshed import SupportsRead

_DEEPEST = 100  # nested objects and lists: no message needs more


class BodyTooLarge(APIException):
    """The client sends less at once."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is over 1 MB."


class FailedPrecondition(APIException):
    """The request is well-formed, but the state forbids it."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "failed_precondition"


class AlreadyExists(APIException):
    """There can be only one of these, and it is there."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "already_exists"


class StrictJSONParser(BaseParser):
    """One JSON object in UTF-8, of at most 1 MB; no NUL in any text, for PostgreSQL keeps none."""

    media_type = "*/*"  # the clients' Content-Type says nothing: they send one without a body too

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, Any]:
        """The object; `{}` for an empty body. Raises ParseError, ValidationError or BodyTooLarge."""
        raw = read_body(stream, parser_context["request"].META)
        if not raw.strip():
            return {}
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise ParseError(f"The body is not valid JSON: {error}") from error
        if not isinstance(body, dict):
            raise ParseError("The body must be a JSON object.")
        if _depth(body) > _DEEPEST:
            raise ParseError(f"The body is nested deeper than {_DEEPEST} levels.")
        if b"\\u0000" in raw:
            _refuse_nul(body, "")
        return body


class FormParser(BaseParser):
    """A form of at most 1 MB."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None
    ) -> QueryDict:
        """The fields. Raises BodyTooLarge."""
        return QueryDict(read_body(stream, parser_context["request"].META))


class JSONRenderer(BaseRenderer):
    """Compact JSON."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        """The bytes; an answer without data is the empty object."""
        return compact({} if data is None else data)


class AlwaysJSON(BaseContentNegotiation):
    """Whatever the client says it accepts, it gets JSON."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        """The only one."""
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        """The only one."""
        return renderers[0], renderers[0].media_type


def compact(value: Any) -> bytes:
    """The value as JSON without blanks."""
    try:
        return orjson.dumps(value)
    except TypeError:
        # PostgreSQL gives 1e30 back as an integer, which is too long for orjson.
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with `Z`, to the microsecond when there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_body(stream: SupportsRead[bytes], environment: Mapping[str, Any]) -> bytes:
    """The whole body. Raises BodyTooLarge, by the announced length before the rest is even sent."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if int(environment.get("CONTENT_LENGTH") or 0) > limit:
        raise BodyTooLarge
    raw = stream.read(limit + 1)
    if len(raw) > limit:
        raise BodyTooLarge
    return raw


def _depth(body: Any) -> int:
    """How many containers stand in one another; stops counting past the limit."""
    depth, level = 0, [body]
    while level and depth <= _DEEPEST:
        depth += 1
        inner = [value for item in level for value in (item.values() if isinstance(item, dict) else item)]
        level = [value for value in inner if isinstance(value, dict | list)]
    return depth


def _refuse_nul(value: Any, path: str) -> None:
    match value:
        case str() if "\0" in value:
            raise ValidationError({path: ["must not contain the NUL character"]})
        case dict():
            for key, inner in value.items():
                _refuse_nul(key, path or "body")
                _refuse_nul(inner, f"{path}.{key}".lstrip("."))
        case list():
            for index, inner in enumerate(value):
                _refuse_nul(inner, f"{path}[{index}]")
