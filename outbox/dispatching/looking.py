"""Looking: how far each look at the outbox goes. What is new it always sees, the rest as often as that is cheap.

As long as a transaction stays open, somewhere in the database, what has left the queue since it began cannot be
cleaned away, and whoever looks everywhere steps over all of it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from outbox.dispatching.claiming import EVERYWHERE, MOST_NEW, Stretch, Survey

# What was put in this time is looked at once more: who puts many gets their ids long before they are committed.
OVERLAP: Final = timedelta(seconds=1)
REST: Final = 20  # times what a walk took, until the next
LONG_SECONDS: Final = 0.010  # a walk that takes longer becomes shorter
SHORT_SECONDS: Final = 0.004  # one that takes less becomes longer
MOST_STRETCHES: Final = 16  # of a round: what is found on walks does not wait for more of them


class Looks:
    """The looks of one dispatcher, one after the other.

    What is new is put, commits and rings: each look sees it. Everything else, such as what comes back, what was
    committed late or what others left, is found on walks. As long as it is quick a walk goes everywhere; when it
    is not, it goes on from look to look, a stretch of lanes at a time, and begins anew at the end.
    """

    def __init__(self) -> None:
        self._goes_everywhere = True
        self._given: deque[tuple[datetime, int]] = deque()  # the greatest id at each look of late
        self._walks_at: datetime | None = None
        self._width: int | None = None  # of a stretch, in ids of lanes; None: everywhere
        self._reached = 0  # the last lane of the stretch before
        self._next_due_at: datetime | None = None  # as the last round told
        self._found_due_at: datetime | None = None  # on this round, so far

    def look_everywhere(self) -> None:
        """With the next look: something is known to wait that is not new."""
        self._goes_everywhere = True

    def stretch(self, *, now: datetime) -> Stretch:
        """What the next look is to see."""
        walks_at = _earlier(self._walks_at, self._next_due_at)
        walks = walks_at is None or walks_at <= now
        if self._goes_everywhere or not self._given or (walks and self._width is None):
            self._goes_everywhere = False
            return EVERYWHERE
        width = self._width if walks and self._width else 0
        return Stretch(self._given[0][1], after=self._reached, until=self._reached + width)

    def saw(self, survey: Survey, *, stretch: Stretch) -> Survey:
        """What that look found, with what earlier ones told of the time ahead."""
        if stretch is EVERYWHERE:
            self._next_due_at = self._found_due_at = None
        elif survey.newest - stretch.newer_than > MOST_NEW:
            self.look_everywhere()
        self._given.append((survey.now, survey.newest))
        while len(self._given) > 1 and self._given[1][0] <= survey.now - OVERLAP:
            self._given.popleft()
        self._next_due_at = _earlier(self._next_due_at, survey.next_due_at)
        self._found_due_at = _earlier(self._found_due_at, survey.next_due_at)
        if stretch.until > stretch.after:
            self._walked(survey, stretch)
        return replace(survey, next_due_at=self._next_due_at)

    def _walked(self, survey: Survey, stretch: Stretch) -> None:
        self._walks_at = survey.now + REST * timedelta(seconds=survey.seconds)
        seen = min(stretch.until, survey.last_lane) - stretch.after
        if survey.seconds > LONG_SECONDS:
            narrower = min(seen // 2, self._width or seen)
            self._width = max(narrower, 1 + survey.last_lane // MOST_STRETCHES)
        elif survey.seconds < SHORT_SECONDS:
            self._width = 2 * (self._width or seen) if seen < survey.last_lane else None
        self._reached = stretch.until
        if self._reached >= survey.last_lane:
            self._reached = 0
            self._next_due_at, self._found_due_at = self._found_due_at, None


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((moment for moment in (one, other) if moment), default=None)
