"""Statements that run with every message: the server keeps them prepared, and need not read and plan them anew.

They stand at the bottom of the rooms that know the database, where all the others reach them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Field, Model

Terms = Mapping[str, Any] | Sequence[Any]


def run(statement: str, terms: Terms) -> list[Any]:
    """Its rows, `[]` where it gives none. Name the columns: a prepared `*` breaks with the next migration."""
    with _cursor() as cursor:
        cursor.execute(statement, terms)
        return cursor.fetchall() if cursor.description else []


def insert(*rows: Model) -> None:
    """Insert new rows of any tables in one round trip, in their order; all or none.

    A key that the database makes is not read back, and columns with a default of the database's own get that.
    """
    kinds = tuple((model, len(list(alike))) for model, alike in groupby(rows, key=type))
    database = connections[DEFAULT_DB_ALIAS]
    run(_insertions(kinds), [value for row in rows for value in _values(row, database)])
    for row in rows:
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def _cursor() -> CursorWrapper:
    # The connection itself: `django.db.connection` looks for it anew with every attribute.
    database = connections[DEFAULT_DB_ALIAS]
    # In the portal a wrapper adds who acts to each statement: two are not prepared. What is logged wants its text.
    if database.execute_wrappers or database.queries_logged:
        return database.cursor()
    # Django's own way to a cursor: on a connection that lives, its errors translated.
    database.close_if_health_check_failed()
    database.ensure_connection()
    return CursorWrapper(_Preparing(database.connection), database)


class _Preparing(psycopg.Cursor[Any]):
    """A cursor that sends terms apart from the statement, and has it prepared."""

    def execute(self, query: Any, params: Any = None, **_: Any) -> _Preparing:
        return super().execute(_encoded(query), params, prepare=True)


# Bytes, the same with each run: the driver need not encode them, and knows them again.
_encoded = cache(str.encode)


@cache
def _insertions(kinds: tuple[tuple[type[Model], int], ...]) -> str:
    *first, last = (_insertion(model, count) for model, count in kinds)
    parts = [f"part_{number} AS ({statement})" for number, statement in enumerate(first)]
    return f"WITH {', '.join(parts)} {last}" if parts else last


def _insertion(model: type[Model], count: int) -> str:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column or "") for field in _written(model))
    places = ", ".join(["%s"] * len(_written(model)))
    rows = ", ".join([f"({places})"] * count)
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES {rows}"  # noqa: S608 -- our names


@cache
def _written(model: type[Model]) -> Sequence[Field[Any, Any]]:
    """The columns that are not the database's own affair."""
    return [
        field
        for field in model._meta.concrete_fields
        if not (field.generated or field.has_db_default() or field.get_internal_type().endswith("AutoField"))
    ]


def _values(row: Model, database: BaseDatabaseWrapper) -> list[Any]:
    return [
        field.get_db_prep_save(field.pre_save(row, True), connection=database)
        for field in _written(type(row))
    ]
