"""The database's clock between two looks at it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Runs on from the moment that the database last told, so that no machine's own date counts."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)  # how far a drain has put it forward
        self._told = datetime.fromtimestamp(0, tz=UTC)
        self._told_at = time.monotonic()

    def set(self, told: datetime) -> None:
        """The database has just told the time (`ahead` included)."""
        self._told, self._told_at = told, time.monotonic()

    def now(self) -> datetime:
        """The moment, as the database would say it."""
        return self._told + timedelta(seconds=time.monotonic() - self._told_at)

    def put_forward_to(self, moment: datetime) -> None:
        """Do not wait for that moment: be there."""
        step = max(moment - self.now(), timedelta(0))
        self.ahead += step
        self._told += step
