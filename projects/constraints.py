"""Migration operations for rules that Django's constraints cannot say."""

from django.db.migrations import RunSQL


def same_parent(
    child: str,
    columns: tuple[str, str],
    parent: str,
    *,
    parent_columns: tuple[str, str] = ("id", "project_id"),
    on_delete: str = "NO ACTION",
) -> RunSQL:
    """A composite foreign key: what a row points at agrees with the row on the second column.

    The parent has a UNIQUE constraint on `parent_columns`. `on_delete` may name the columns it sets to NULL.
    """
    name = f"{child}_{columns[0]}_same_{columns[1]}"
    return RunSQL(
        f"ALTER TABLE {child} ADD CONSTRAINT {name} FOREIGN KEY ({', '.join(columns)}) "
        f"REFERENCES {parent} ({', '.join(parent_columns)}) ON DELETE {on_delete} DEFERRABLE INITIALLY DEFERRED",
        f"ALTER TABLE {child} DROP CONSTRAINT {name}",
    )
