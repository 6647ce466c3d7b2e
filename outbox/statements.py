"""Statements that run with every message: the server keeps them prepared, and need not read and plan them anew.

They stand at the bottom of the rooms that know the database, where all the others reach them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any

import psycopg
from django.db import connection
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
    statements, terms = [], []
    for model, group in groupby(rows, key=type):
        alike = list(group)
        statements.append(_insertion(model, len(alike)))
        terms += [value for row in alike for value in _values(row)]
    *first, last = statements
    parts = [f"part_{number} AS ({statement})" for number, statement in enumerate(first)]
    run(f"WITH {', '.join(parts)} {last}" if parts else last, terms)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def _cursor() -> CursorWrapper:
    # In the portal a wrapper adds who acts to each statement: two are not prepared. What is logged wants its text.
    if connection.execute_wrappers or connection.queries_logged:
        return connection.cursor()
    # Django's own way to a cursor: on a connection that lives, its errors translated.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    return CursorWrapper(_Preparing(connection.connection), connection)


class _Preparing(psycopg.Cursor[Any]):
    """A cursor that sends terms apart from the statement, and has it prepared."""

    def execute(self, query: Any, params: Any = None, **_: Any) -> _Preparing:
        return super().execute(query, params, prepare=True)


@cache
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


def _values(row: Model) -> list[Any]:
    return [
        field.get_db_prep_save(field.pre_save(row, True), connection=connection)
        for field in _written(type(row))
    ]
