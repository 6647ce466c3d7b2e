"""Secrets move to the newest key, so that an old one can be thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.apps import apps
from django.db import transaction
from django.db.models import Model, Q

from projects import sealing
from projects.fields import SecretField

BATCH: Final = 500  # rows locked at once


def rotate() -> int:
    """Seal every secret of every room under the newest key; gives the number of rows that changed.

    Raises CannotUnseal where the key that sealed a secret is configured no more; what was rotated stays so.
    """
    return sum(_rotate(model, names) for model, names in _secrets())


def _secrets() -> Iterator[tuple[type[Model], list[str]]]:
    for model in apps.get_models():
        names = [field.name for field in model._meta.local_fields if isinstance(field, SecretField)]
        if names:
            yield model, names


def _rotate(model: type[Model], names: list[str]) -> int:
    newest, rotated = sealing.newest_prefix(), 0
    old = Q()
    for name in names:
        old |= ~Q(**{name: ""}) & ~Q(**{f"{name}__startswith": newest})
    while done := _rotate_batch(model, names, old):
        rotated += done
    return rotated


@transaction.atomic
def _rotate_batch(model: type[Model], names: list[str], old: Q) -> int:
    rows = list(model._default_manager.select_for_update(no_key=True).filter(old).order_by("pk")[:BATCH])
    for row in rows:
        row.save(update_fields=names)
    return len(rows)
