"""The audit trail: triggers keep every change of a configuration row, whoever makes it and however."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pghistory
import pgtrigger


def audited(*, hidden: Sequence[str] = (), unwatched: Sequence[str] = ()) -> Callable[[type[Any]], type[Any]]:
    """Keep what was made, changed and deleted; of `hidden` columns only that something changed."""
    changed = pgtrigger.AnyChange(exclude=list(unwatched)) if unwatched else pgtrigger.AnyChange()
    decorate: Callable[[type[Any]], type[Any]] = pghistory.track(
        pghistory.InsertEvent(),
        pghistory.UpdateEvent(condition=changed),
        pghistory.DeleteEvent(),
        exclude=[*hidden, *unwatched],
    )
    return decorate
