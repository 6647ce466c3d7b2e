"""Lists in pages: by key, never by offset, with an opaque token that is safe in any URL."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2s
from typing import Any, TypeVar

import orjson
from django.core.exceptions import ValidationError as ModelValidationError
from django.db.models import Model, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

R = TypeVar("R")  # a row: an instance, or what values_list gives

_NUMBER = re.compile(r"-?[0-9]{1,4300}", re.ASCII)  # as many digits as int() reads


@dataclass(frozen=True, slots=True)
class Page:
    """What a client asks for: how many rows, after which."""

    size: int
    token: str
    place: str = ""  # the list's path: its tokens are good for no other list, nor for another project's

    @classmethod
    def asked(cls, parameters: Any, *, default: int = 10, largest: int, place: str = "") -> Page:
        """From `page_size` and `page_token`. Raises ValidationError; more than the largest is capped."""
        raw = parameters.get("page_size")
        token = parameters.get("page_token") or ""
        if not isinstance(token, str):
            raise ValidationError({"page_token": ["must be a string"]})
        if raw is None or raw == "":
            return cls(min(default, largest), token, place)
        if isinstance(raw, bool) or not _NUMBER.fullmatch(str(raw)):
            raise ValidationError({"page_size": ["must be a whole number"]})
        size = int(raw)
        if size <= 0:
            raise ValidationError({"page_size": ["must be greater than 0"]})
        return cls(min(size, largest), token, place)

    @classmethod
    def of(cls, request: Request, *, default: int = 10, largest: int) -> Page:
        """From the query string."""
        return cls.asked(request.query_params, default=default, largest=largest, place=request.path)

    def cut(self, rows: QuerySet[Any, R], *, by: Sequence[str]) -> tuple[list[R], str]:
        """The page's rows, and the next page's token (`""` on the last).

        `by` is a total order, all ascending or all descending, e.g. `("-accept_time", "-id")`.
        """
        key = self.key(rows.model, by=by)
        following = beyond(rows, key, by=by) if key else rows
        return self.told(list(following.order_by(*by)[: self.size + 1]), by=by)

    def key(self, model: type[Model], *, by: Sequence[str]) -> list[Any]:
        """What the token holds of the row before the page; `[]` on the first. Raises ValidationError."""
        return _key(self.token, model, _names(by), place=self.place) if self.token else []

    def told(self, found: list[R], *, by: Sequence[str]) -> tuple[list[R], str]:
        """Of one row more than the page has, if there is one: the page's rows, and the next page's token."""
        if len(found) <= self.size:
            return found, ""
        last = found[self.size - 1]
        return found[: self.size], token([getattr(last, name) for name in _names(by)], place=self.place)


def beyond(rows: QuerySet[Any, R], key: Sequence[Any], *, by: Sequence[str]) -> QuerySet[Any, R]:
    """Those that come after the row with this key."""
    step = "lt" if by[0].startswith("-") else "gt"
    further, equal = Q(), Q()
    for name, value in zip(_names(by), key, strict=True):
        further |= equal & Q(**{f"{name}__{step}": value})
        equal &= Q(**{name: value})
    # The first column alone is what an index can seek to.
    return rows.filter(Q(**{f"{_names(by)[0]}__{step}e": key[0]}) & further)


def token(key: Sequence[Any], *, place: str) -> str:
    """Of the page that begins after this key, in the list at this path."""
    texts = [value.isoformat() if isinstance(value, datetime) else str(value) for value in key]
    return base64.urlsafe_b64encode(orjson.dumps([_mark(place), *texts])).decode().rstrip("=")


def _names(by: Sequence[str]) -> list[str]:
    return [name.lstrip("-") for name in by]


def _mark(place: str) -> str:
    return blake2s(place.lower().encode(), digest_size=6).hexdigest()


def _key(token: str, model: type[Model], names: Sequence[str], *, place: str) -> list[Any]:
    """The values that a token holds. Raises ValidationError for a token that is not ours, or another list's."""
    try:
        texts = orjson.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
        if not isinstance(texts, list) or not all(
            isinstance(text, str) and "\0" not in text for text in texts
        ):
            raise ValueError(token)
        mark, *texts = texts
        if mark != _mark(place):
            raise ValueError(token)
        columns: list[Any] = [model._meta.get_field(name) for name in names]
        fields = [column.output_field if column.generated else column for column in columns]
        values = [field.to_python(text) for field, text in zip(fields, texts, strict=True)]
    except (binascii.Error, ValueError, UnicodeError, ModelValidationError):
        raise ValidationError({"page_token": ["is not a token that this list gave"]}) from None
    if any(isinstance(value, datetime) and value.tzinfo is None for value in values):
        raise ValidationError({"page_token": ["is not a token that this list gave"]})
    return values
