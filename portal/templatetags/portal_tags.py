"""What the portal's templates say in words."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.db.models.options import Options

from portal.site.beginnings import BEGINNINGS

register = template.Library()


@register.filter
def indented(value: Any) -> str:
    """JSON for reading; text as it is."""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


@register.filter
def beginning(opts: Options[Any]) -> str:
    """What a list of these rows says while there is none."""
    return BEGINNINGS.get(opts.label_lower, "")


@register.filter
def shown(value: Any) -> str:
    """A column's value as a person reads it."""
    match value:
        case None | "":
            return "–"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(str(item) for item in value) or "–"
    return str(value)


@register.filter
def minutes(span: timedelta) -> int:
    """Whole minutes."""
    return round(span.total_seconds() / 60)


@register.filter
def hexadecimal(value: bytes | memoryview) -> str:
    """Bytes, as digests are written."""
    return bytes(value).hex()


@register.filter
def stamped(text: str | None) -> datetime | None:
    """The moment that a record names, to be shown as every other."""
    return datetime.fromisoformat(text) if text else None


@register.filter
def thousands(number: int) -> str:
    """With commas, as the portal writes large numbers."""
    return f"{number:,}"


@register.filter
def lasting(count: int, per_second: int) -> str:
    """How long so many take at this rate, in words."""
    seconds = -(-count // per_second)
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size:
            return f"{round(seconds / size)} {unit}s"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
