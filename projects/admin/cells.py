"""Pieces of pages that lists and forms have in common, each from its template."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString


def state(word: str, tone: str = "quiet", *, hint: str = "") -> SafeString:
    """A badge: a word with an icon. `tone` is good, busy, bad or quiet."""
    return _cell("state", word=word, tone=tone, hint=hint)


def moment(at: datetime | None, *, otherwise: str = "–") -> SafeString:
    """A point in time, to the second, with the time zone."""
    return _cell("moment", at=at, otherwise=otherwise)


def code(text: str) -> SafeString:
    """An id or an address, to be read character by character, with a button that copies it."""
    return _cell("code", text=text)


def link(text: object, *, to: str) -> SafeString:
    """A way to another page."""
    return _cell("link", text=text, to=to)


def document(value: Any) -> SafeString:
    """JSON, indented; any other text as it is."""
    return _cell("document", value=value)


def _cell(name: str, **context: Any) -> SafeString:
    return render_to_string(f"admin/cells/{name}.html", context)
