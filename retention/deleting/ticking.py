"""Whether the database's clock goes on as time does: one that is set forward makes things due that are not."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Final

from retention.models import PurgeOverride

LEAP: Final = timedelta(minutes=5)  # that a clock may be set right by
# Nobody can set it; where there is such a clock, it goes on while the machine sleeps.
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def ticked() -> float:
    """Seconds on a clock that nobody can set."""
    return time.clock_gettime(_CLOCK)


class Watch:
    """Both clocks as this process last saw them."""

    def __init__(self) -> None:
        self._seen: tuple[datetime, float] | None = None

    def trusts(self, told: datetime, *, at: float) -> bool:
        """Whether the database's clock, which says `told`, has not leapt since it was last trusted.

        Somebody who has overridden the purge's clock meanwhile has looked at it: it is trusted again.
        """
        if self._seen and self._has_leapt(told, at, *self._seen):
            return False
        self._seen = told, at
        return True

    def _has_leapt(self, told: datetime, at: float, told_before: datetime, then: float) -> bool:
        if told - told_before <= timedelta(seconds=at - then) + LEAP:
            return False
        return not PurgeOverride.objects.filter(run_at__gte=told_before).exists()
