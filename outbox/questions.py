"""Querysets that are composed once and asked many times: each asking only puts its terms in their places.

A rule stays written as a queryset; what composing it costs, which is more than a short answer does, is paid once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import Field, QuerySet, Value

from outbox import statements


class Term(Value):
    """The place of a value in a queryset that is composed before the value is known."""

    def __init__(self, name: str, field: Field[Any, Any]) -> None:
        super().__init__(None, output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """Itself among the parameters."""
        return "%s", [self]

    def value_in(self, terms: Mapping[str, Any]) -> Any:
        """As the column keeps it."""
        return self.output_field.get_db_prep_value(terms[self.name], connection)


class AnyTerm(Term):
    """The same of several values, of which the column has one."""

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """Itself among the parameters."""
        return "ANY(%s)", [self]

    def value_in(self, terms: Mapping[str, Any]) -> Any:
        """Each as the column keeps it."""
        return [self.output_field.get_db_prep_value(value, connection) for value in terms[self.name]]


class Question:
    """A queryset of `values_list`, composed; it is prepared on every connection that asks it."""

    def __init__(self, rows: QuerySet[Any, Any]) -> None:
        self._statement, self._parameters = rows.query.sql_with_params()
        self._conversions = _conversions(rows)

    def ask(self, terms: Mapping[str, Any]) -> list[Sequence[Any]]:
        """The rows, with their columns as the model has them."""
        rows = statements.run(
            self._statement,
            [one.value_in(terms) if isinstance(one, Term) else one for one in self._parameters],
        )
        if not rows or not self._conversions:
            return rows
        columns = list(zip(*rows, strict=True))
        for place, convert in self._conversions:
            columns[place] = tuple(map(convert, columns[place]))
        return list(zip(*columns, strict=True))


def _conversions(rows: QuerySet[Any, Any]) -> list[tuple[int, Callable[[Any], Any]]]:
    """Of the columns that the driver does not give as the model has them."""
    compiler = rows.query.get_compiler(connection=connection)
    compiler.setup_query()
    converters = compiler.get_converters(column for column, _, _ in compiler.select)
    return [
        (place, partial(convert, expression=column, connection=connection))
        for place, (converts, column) in converters.items()
        for convert in converts
    ]
