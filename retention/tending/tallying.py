"""Tallying: how long the purge's batches take, how many rows they delete, and what held them back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum
from itertools import accumulate
from typing import Final

from django.db import connection

from retention.models import PurgeTally

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds
BEYOND: Final = "+Inf"  # Prometheus' word for it

_ADD: Final = """
    INSERT INTO retention_purgetally AS tally (name, number)
    SELECT * FROM unnest(%s::text[], %s::float8[]) AS more (name, number)
    ON CONFLICT (name) DO UPDATE SET number = tally.number + excluded.number
"""
_ROWS: Final = "rows"
_SECONDS: Final = "seconds"
_BATCHES: Final = "batches"  # that took no longer than the limit beside it, and longer than the one before
_BRAKES: Final = "brakes"


class Brake(StrEnum):
    """What made the purge do less than it could."""

    SLOW = "slow"  # a batch took too long: the next window is half as wide
    FAILING = "failing"  # an app's batches failed one after the other: it rests until the next tick
    REPLICA = "replica"  # a replica was behind: the app's turn was left out
    CLOCK = "clock"  # the clocks disagreed, or one had leapt: nothing was deleted


class Tally:
    """What one run counts; it is added to the others' when the run ends, and lost with a run that is killed."""

    def __init__(self) -> None:
        self._numbers: defaultdict[str, float] = defaultdict(float)

    def took(self, seconds: float, *, rows: int) -> None:
        """A batch of so many rows took so long."""
        bucket = next((limit for limit in BUCKETS if seconds <= limit), BEYOND)
        self._numbers[f"{_BATCHES} {bucket}"] += 1
        self._numbers[_SECONDS] += seconds
        self._numbers[_ROWS] += rows

    def braked(self, brake: Brake) -> None:
        """It was held back."""
        self._numbers[f"{_BRAKES} {brake}"] += 1

    def keep(self) -> None:
        """Add what was counted to all that was before, and begin anew."""
        numbers = sorted(self._numbers.items())  # in one order: others add too
        self._numbers.clear()
        if numbers:
            with connection.cursor() as cursor:
                cursor.execute(_ADD, [list(each) for each in zip(*numbers, strict=True)])


class Tallied:
    """All that was ever kept."""

    def __init__(self, numbers: Mapping[str, float]) -> None:
        self._numbers = numbers

    @property
    def rows(self) -> float:
        """Messages, conversations and events that batches deleted."""
        return self._numbers.get(_ROWS, 0.0)

    @property
    def seconds(self) -> float:
        """That all batches took together."""
        return self._numbers.get(_SECONDS, 0.0)

    def batches(self) -> list[tuple[str, float]]:
        """How many took no longer than each of the limits, in seconds; the last is none."""
        limits = [str(limit) for limit in (*BUCKETS, BEYOND)]
        numbers = accumulate(self._numbers.get(f"{_BATCHES} {limit}", 0.0) for limit in limits)
        return list(zip(limits, numbers, strict=True))

    def brakes(self) -> dict[Brake, float]:
        """How often each held the purge back."""
        return {brake: self._numbers.get(f"{_BRAKES} {brake}", 0.0) for brake in Brake}


def tallied() -> Tallied:
    """As it stands."""
    return Tallied(dict(PurgeTally.objects.values_list("name", "number")))
