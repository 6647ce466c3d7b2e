"""Lanes as their owners see them: how they are served, and a fresh start after a repair."""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction

from outbox import bell
from outbox.models import Lane

WAKE = """
    UPDATE outbox_lane
    SET paused_until = NULL, fail_streak = 0, strain = 0, failed_entries = '{}', trips = 0, narrowed_to = NULL
    WHERE kind = %(kind)s AND owner = %(owner)s
"""


def tune(kind: str, owner: UUID, *, width: int = 8, is_ordered: bool = False) -> None:
    """Say how the owner's lane is served, at the latest from the next time it is claimed.

    `width` is how many tries are made at once, up to 64. In an ordered lane one is made at a time, in the
    order in which the entries were put, and nothing is sent before what comes back: its kind must give it up
    some time.
    """
    terms = {"width": width, "is_ordered": is_ordered}
    Lane.objects.update_or_create(defaults=terms, kind=kind, owner=owner)


def wake(kind: str, owner: UUID) -> None:
    """Let the owner's lane be served now, whatever its receiver did before: somebody says it is well."""
    with connection.cursor() as cursor:
        cursor.execute(WAKE, {"kind": kind, "owner": owner})
    transaction.on_commit(bell.ring, robust=True)
