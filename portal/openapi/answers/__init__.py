"""What the API answers: a shape for everything that a `payloads.py` makes."""

from __future__ import annotations

from portal.openapi import credentials
from portal.openapi.answers import (
    apps,
    contacts,
    conversations,
    deliveries,
    holds,
    refusals,
    templates,
    words,
)
from portal.openapi.shapes import Shape


def components() -> dict[str, Shape]:
    """Every shape by its name."""
    return {
        **words.ENUMERATIONS,
        **credentials.components(),
        **apps.APPS,
        **holds.HOLDS,
        **deliveries.DELIVERIES,
        **contacts.CONTACTS,
        **conversations.MESSAGES,
        **conversations.CONVERSATIONS,
        **templates.TEMPLATES,
        **refusals.REFUSALS,
    }
