"""What the portal's templates say in words."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django import template

register = template.Library()


@register.filter
def indented(value: Any) -> str:
    """JSON for reading; text as it is."""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


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
