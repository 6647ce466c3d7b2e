"""Triggers that keep rows as they were written, whoever asks."""

from typing import Final

import pgtrigger

ROWS_STAY: Final = pgtrigger.Protect(name="rows_stay", operation=pgtrigger.Delete)
ROWS_STAY_AS_THEY_ARE: Final = pgtrigger.Protect(
    name="rows_stay_as_they_are", operation=pgtrigger.Update | pgtrigger.Delete
)
TABLE_STAYS: Final = pgtrigger.Trigger(  # Protect knows no TRUNCATE
    name="table_stays",
    when=pgtrigger.Before,
    level=pgtrigger.Statement,
    operation=pgtrigger.Truncate,
    func="RAISE EXCEPTION 'pgtrigger: Cannot truncate rows from % table', TG_TABLE_NAME;",
)
APPEND_ONLY: Final = [ROWS_STAY_AS_THEY_ARE, TABLE_STAYS]


def columns_stay(*columns: str) -> pgtrigger.Trigger:
    """No update changes any of these."""
    return pgtrigger.Protect(
        name="columns_stay", operation=pgtrigger.Update, condition=pgtrigger.AnyChange(*columns)
    )
