"""Flushing: what is told outside the database is on its disk first."""

from typing import Final

from django.db import connection, transaction

_MARK: Final = "SELECT pg_logical_emit_message(true, 'retention', '')"  # who writes nothing waits for nothing


def flush() -> None:
    """Wait until all that can be seen is on the disk: batches of the purge do not, and a proof never lies."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = on")
        cursor.execute(_MARK)
