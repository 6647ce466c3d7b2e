"""What a page of facts shows of a row: what there is, in words."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.apps import apps


def filled(row: Any, names: Iterable[Any]) -> list[Any]:
    """Those of the fields that hold something; a page of facts has no empty lines."""
    return [name for name in names if getattr(row, name, True) not in (None, "")]


def called(table: str) -> str:
    """What people call the rows of a table: "channel identities"."""
    return _names().get(table, table).capitalize()


@cache
def _names() -> dict[str, str]:
    return {model._meta.db_table: str(model._meta.verbose_name_plural) for model in apps.get_models()}
