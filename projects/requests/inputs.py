"""What a client may say: serializer fields as strict as the contract, with faults that follow a field's name.

A number is no string and a string no number; null is absence; unknown keys are ignored, but no field's name in
camelCase: what it says would be lost. `Text.of(Model, "field")` is bounded as the model's field is, and has its
default where a client leaves it out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from datetime import datetime
from functools import cache
from typing import Any, Final, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Model
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

_ABSENT: Final[dict[str, Any]] = {"required": "is required", "null": "is required"}
_LISTED: Final[dict[str, Any]] = _ABSENT | {
    "not_a_list": "must be a list",
    "empty": "must have at least one entry",
    "max_length": "must have at most {max_length} entries",
}
_MOST_ENTRIES: Final = 100  # of a list that a person has written
_HUMP: Final = re.compile(r"(?<=[a-z0-9])[A-Z]")
_BLANK_FOR_PLUS: Final = re.compile(r"(T[0-9:.]+) ([0-9]{2}:[0-9]{2})\Z")  # one client encodes nothing


class Text(serializers.CharField):
    """A text as it is, blanks included; one that may be absent may be empty too."""

    default_error_messages = _ABSENT | {
        "invalid": "must be a string",
        "blank": "must not be empty",
        "max_length": "must have at most {max_length} characters",
    }

    def __init__(self, **options: Any) -> None:
        may_be_empty = not options.get("required", "default" not in options)
        super().__init__(**({"trim_whitespace": False, "allow_blank": may_be_empty} | options))

    @classmethod
    def of(cls, model: type[Model], name: str, **options: Any) -> Self:
        """As long as the model's field allows."""
        column: Any = model._meta.get_field(name)
        return cls(**({"max_length": column.max_length} | _absence(column) | options))

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if not self.allow_blank and not data.strip():
            self.fail("blank")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A whole number, as JSON knows it."""

    default_error_messages = _ABSENT | {
        "invalid": "must be a whole number",
        "min_value": "must be at least {min_value}",
        "max_value": "must be at most {max_value}",
    }

    @classmethod
    def of(cls, model: type[Model], name: str, **options: Any) -> Self:
        """Within the bounds of the model's field."""
        column: Any = model._meta.get_field(name)
        rules = column.validators
        bounds = {
            "min_value": max(rule.limit_value for rule in rules if isinstance(rule, MinValueValidator)),
            "max_value": min(rule.limit_value for rule in rules if isinstance(rule, MaxValueValidator)),
        }
        return cls(**(bounds | _absence(column) | options))

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class Flag(serializers.BooleanField):
    """True or false, as JSON knows them."""

    default_error_messages = _ABSENT | {"invalid": "must be true or false"}

    @classmethod
    def of(cls, model: type[Model], name: str, **options: Any) -> Self:
        """As the model's field."""
        return cls(**(_absence(model._meta.get_field(name)) | options))

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class OneOf(serializers.ChoiceField):
    """A member of an enumeration, or one of a few texts; found by its value."""

    def __init__(self, known: Iterable[str], **options: Any) -> None:
        self.known = {str(one): one for one in known}
        fault = f"must be one of {', '.join(self.known)}"
        faults = dict.fromkeys(["required", "null", "invalid_choice"], fault)
        super().__init__(list(self.known), **({"error_messages": faults} | options))

    @classmethod
    def of(cls, model: type[Model], name: str, **options: Any) -> Self:
        """One of the choices of the model's field."""
        column: Any = model._meta.get_field(name)
        return cls([value for value, _ in column.flatchoices], **(_absence(column) | options))

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or data not in self.known:
            self.fail("invalid_choice")
        return self.known[data]


class Day(serializers.DateField):
    """A day of the calendar, as ISO 8601 writes it."""

    default_error_messages = _ABSENT | {"invalid": "must be a day, e.g. 2027-12-31"}


class Moment(serializers.DateTimeField):
    """A time as RFC 3339 writes it; in a query its plus may have become a blank."""

    default_error_messages = _ABSENT | dict.fromkeys(
        ["invalid", "overflow"], "must be a time, e.g. 2027-12-31T23:59:59Z"
    )

    def to_internal_value(self, data: Any) -> datetime:
        if isinstance(data, str):
            data = _BLANK_FOR_PLUS.sub(r"\1+\2", data)
        moment: datetime = super().to_internal_value(data)
        return moment


class Json(serializers.JSONField):
    """Any value; the room that knows the content checks it."""

    default_error_messages = _ABSENT


class Listing(serializers.ListField):
    """A list that a person has written."""

    default_error_messages = _LISTED

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"max_length": _MOST_ENTRIES} | options))


class Pairs(serializers.DictField):
    """An object whose keys are the client's own."""

    default_error_messages = _ABSENT | {"not_a_dict": "must be an object"}


class Inputs(serializers.ListSerializer):
    """A list of objects."""

    default_error_messages = _LISTED

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **({"max_length": _MOST_ENTRIES} | options))


class Input(serializers.Serializer):
    """An object of the contract."""

    default_error_messages = _ABSENT | {"invalid": "must be an object"}

    class Meta:
        list_serializer_class = Inputs

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            refuse_camel_case(data, known=self.fields.keys())
            data = {name: value for name, value in data.items() if value is not None}
        return super().to_internal_value(data)

    @classmethod
    def read(cls, data: Any) -> Any:
        """The validated value. Raises ValidationError."""
        return _reader(cls).run_validation(data)

    @classmethod
    def read_named(cls, data: Mapping[str, Any]) -> Any:
        """The same of those fields alone that the data names; null is their default. Raises ValidationError."""
        body = cls()
        for name in body.fields.keys() - data.keys():
            del body.fields[name]
        return body.run_validation(data)

    @classmethod
    def read_query(cls, parameters: QueryDict) -> Any:
        """The same of query parameters, where an empty one was not given. Raises ValidationError."""
        return cls.read({name: str(value) for name, value in parameters.items() if value})

    @classmethod
    def empty(cls) -> dict[str, Any]:
        """Every field as a client resets it: null, which `read_named` takes for the default."""
        return {
            name: dict.fromkeys(field.fields) if isinstance(field, Input) else None
            for name, field in cls().fields.items()
        }


def refuse_camel_case(names: Iterable[str], *, known: Set[str]) -> None:
    """Raises ValidationError for names that are known in snake_case: wire contract 10, 13."""
    meant = {name: _HUMP.sub(r"_\g<0>", name).lower() for name in names if name not in known}
    if problems := {name: [f"is written {own}"] for name, own in meant.items() if own in known}:
        raise ValidationError(problems)


@cache
def _reader(kind: type[Input]) -> Input:
    """One for all requests: it keeps nothing of them, and copying its fields costs more than reading with them."""
    return kind()


def _absence(column: Any) -> dict[str, Any]:
    """What stands for a value that the client leaves out, unless it must not."""
    if column.has_default():
        return {"default": column.default}
    return {"default": ""} if column.blank else {}
