"""Statements that run with every message: the server keeps them prepared, and need not read and plan them anew.

They stand at the bottom of the rooms that know the database, where all the others reach them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import BinaryField, Field, Model
from psycopg.pq import Format

Terms = Mapping[str, Any] | Sequence[Any]
_Kinds = tuple[tuple[type[Model], int], ...]  # of rows: so many of one table, then of the next


def run(statement: str, terms: Terms) -> list[Any]:
    """Its rows, `[]` where it gives none. Name the columns: a prepared `*` breaks with the next migration."""
    return _rows(_cursor(), statement, terms)


def run_for_bytes(statement: str, terms: Terms) -> list[Any]:
    """As `run`, for rows that hold bytes: they travel as they are, at half the price.

    Not for moments and JSON, which Django reads in its own way only where they are spelt out.
    """
    return _rows(_cursor(Format.BINARY), statement, terms)


def written(statement: str, terms: Terms) -> int:
    """How many rows it has inserted, updated or deleted."""
    with _cursor() as cursor:
        cursor.execute(statement, terms)
        return int(cursor.rowcount)


def uuids(values: Iterable[UUID]) -> str:
    """Them as a term of the type uuid[], which the driver takes much longer to make of a list."""
    return f"{{{','.join([value.hex for value in values])}}}"


def insert(*rows: Model) -> None:
    """Insert new rows of any tables in one round trip, in their order; all or none.

    A key that the database makes is not read back, and columns with a default of the database's own get that.
    """
    run(_insertions(_kinds(rows)), values(*rows))
    _are_stored(rows)


def run_beside(rows: Sequence[Model], statement: str, terms: Sequence[Any]) -> list[Any]:
    """Insert new rows as `insert` does and run a statement that begins with WITH, all in one round trip."""
    found = run(_beside(_kinds(rows), statement), [*values(*rows), *terms])
    _are_stored(rows)
    return found


def insertion(model: type[Model], *, provided: str) -> str:
    """What inserts one row where a condition holds, to be part of a statement; `values` gives its terms."""
    return f"INSERT INTO {_place(model)} SELECT {_terms(model)} WHERE {provided}"


def values(*rows: Model) -> list[Any]:
    """What the columns of new rows get, one row after the other."""
    database = connections[DEFAULT_DB_ALIAS]
    return [value for row in rows for value in _values(row, database)]


def _rows(cursor: CursorWrapper, statement: str, terms: Terms) -> list[Any]:
    with cursor:
        cursor.execute(statement, terms)
        return cursor.fetchall() if cursor.description else []


def _cursor(rows_as: Format = Format.TEXT) -> CursorWrapper:
    # The connection itself: `django.db.connection` looks for it anew with every attribute.
    database = connections[DEFAULT_DB_ALIAS]
    # In the portal a wrapper adds who acts to each statement: two are not prepared. What is logged wants its text.
    if database.execute_wrappers or database.queries_logged:
        return database.cursor()
    # Django's own way to a cursor: on a connection that lives, its errors translated.
    database.close_if_health_check_failed()
    database.ensure_connection()
    preparing = _Preparing(database.connection)
    preparing.format = rows_as
    return CursorWrapper(preparing, database)


class _Preparing(psycopg.Cursor[Any]):
    """A cursor that sends terms apart from the statement, and has it prepared."""

    def execute(self, query: Any, params: Any = None, **_: Any) -> _Preparing:
        return super().execute(_encoded(query), params, prepare=True)


# Bytes, the same with each run: the driver need not encode them, and knows them again.
_encoded = cache(str.encode)


def _kinds(rows: Sequence[Model]) -> _Kinds:
    return tuple((model, len(list(alike))) for model, alike in groupby(rows, key=type))


@cache
def _insertions(kinds: _Kinds) -> str:
    *first, last = kinds
    return f"WITH {_parts(tuple(first))} {_insertion(*last)}" if first else _insertion(*last)


@cache
def _beside(kinds: _Kinds, statement: str) -> str:
    return f"WITH {_parts(kinds)}, {statement.strip().removeprefix('WITH ')}" if kinds else statement


def _parts(kinds: _Kinds) -> str:
    statements = [_insertion(model, count) for model, count in kinds]
    return ", ".join(f"part_{number} AS ({statement})" for number, statement in enumerate(statements))


def _insertion(model: type[Model], count: int) -> str:
    rows = ", ".join([f"({_terms(model)})"] * count)
    return f"INSERT INTO {_place(model)} VALUES {rows}"  # noqa: S608 -- our names


def _place(model: type[Model]) -> str:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column or "") for field in _written(model))
    return f"{quote(model._meta.db_table)} ({columns})"


def _terms(model: type[Model]) -> str:
    # Bytes travel as they are: as text they would be looked at one by one, and twice as long.
    return ", ".join("%b" if isinstance(field, BinaryField) else "%s" for field in _written(model))


def _are_stored(rows: Sequence[Model]) -> None:
    for row in rows:
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


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
