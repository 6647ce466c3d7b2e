"""The words in which a message's form is written down: each checks a value, and says itself as JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

Problem = tuple[str, str]  # a path in the message, and what is wrong there
Check = Callable[[Any, str], Iterator[Problem]]


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value must be: `problems(value, path)` tells where it is not, `schema` says it to a client."""

    problems: Check
    schema: Mapping[str, Any]
    name: str = ""  # of the component that the API's schema has it as

    @property
    def reference(self) -> Mapping[str, Any]:
        """The schema where it is used: by its name, if it has one."""
        return {"$ref": f"#/components/schemas/{self.name}"} if self.name else self.schema


def named(name: str, description: str, rule: Rule) -> Rule:
    """The rule as a component of its own."""
    return replace(rule, name=name, schema={"description": description, **rule.schema})


def number(lowest: float, highest: float) -> Rule:
    """A number between these."""

    def problems(value: Any, path: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            yield path, f"must be a number from {lowest:g} to {highest:g}"

    return Rule(problems, {"type": "number", "minimum": lowest, "maximum": highest})


def member(*values: str) -> Rule:
    """One of these words."""

    def problems(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, str) or value not in values:
            yield path, f"must be one of {', '.join(values)}"

    return Rule(problems, {"type": "string", "enum": list(values)})


def record(optional: Mapping[str, Rule] | None = None, **required: Rule) -> Rule:
    """An object that has these fields; null is absence, further fields are let through."""
    given = optional or {}

    def problems(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield path, "must be an object"
            return
        for name in required:
            if value.get(name) is None:
                yield f"{path}.{name}", "is required"
        for name, rule in {**required, **given}.items():
            if value.get(name) is not None:
                yield from rule.problems(value[name], f"{path}.{name}")

    return Rule(problems, _object({**required, **given}, required=list(required)))


def many(rule: Rule, *, most: int, fewest: int = 1) -> Rule:
    """A list."""

    def problems(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield path, "must be a list"
            return
        if not fewest <= len(value) <= most:
            yield path, f"must have {fewest} to {most} entries"
        for index, item in enumerate(value):
            yield from rule.problems(item, f"{path}[{index}]")

    return Rule(problems, {"type": "array", "items": rule.reference, "minItems": fewest, "maxItems": most})


def one_of(kinds: Mapping[str, Rule], *, beside: Mapping[str, Rule] | None = None) -> Rule:
    """An object that has exactly one of these fields, and any of those `beside` them."""
    extra = beside or {}

    def problems(value: Any, path: str) -> Iterator[Problem]:
        whole = value if isinstance(value, dict) else {}
        given = [kind for kind in kinds if whole.get(kind) is not None]
        if len(given) != 1:
            yield path, f"must have one of {', '.join(kinds)}"
        for name, rule in {**kinds, **extra}.items():
            if whole.get(name) is not None:
                yield from rule.problems(whole[name], f"{path}.{name}")

    return Rule(problems, _object({**kinds, **extra}) | {"oneOf": [{"required": [kind]} for kind in kinds]})


def by(keys: Iterable[str] | None, rule: Rule) -> Rule:
    """An object with these keys, whichever of them; None: any."""
    known = None if keys is None else sorted(keys)
    names = {} if known is None else {"propertyNames": {"enum": known}}

    def problems(value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield path, "must be an object"
            return
        for key, item in value.items():
            if known is not None and key not in known:
                yield f"{path}.{key}", "is not a channel"
            else:
                yield from rule.problems(item, f"{path}.{key}")

    return Rule(problems, {"type": "object", "additionalProperties": rule.reference, **names})


def _object(fields: Mapping[str, Rule], *, required: list[str] | None = None) -> dict[str, Any]:
    properties = {name: rule.reference for name, rule in fields.items()}
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})


def _text(value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield path, "must be text"
    elif not value:
        yield path, "must not be empty"


def _string(value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield path, "must be text"


def _mapping(value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield path, "must be an object"


def _nothing(value: Any, path: str) -> Iterator[Problem]:  # noqa: ARG001 -- a check's shape
    return iter(())


TEXT: Final = Rule(_text, {"type": "string", "minLength": 1})
STRING: Final = Rule(_string, {"type": "string"})  # may be empty
OBJECT: Final = Rule(_mapping, {"type": "object"})
ANYTHING: Final = Rule(_nothing, {})
