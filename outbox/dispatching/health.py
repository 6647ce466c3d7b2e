"""How a receiver does: when its lane rests, for how long, and how much it gets at once after that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from outbox.kinds import Breaker, Decision, Result

STRAIN: Final = 5.0  # failures in a row before the breaker opens
DIFFERENT: Final = 3  # entries that failed: one that nobody can take says little about its receiver
UNREACHABLE: Final = 2.0  # what a failure counts where there was no connection: three in a row are enough
DOUBLINGS: Final = 32  # beyond them any cap holds
SLOW_SECONDS: Final = 2.0
QUICK_SECONDS: Final = 0.5
MEMORY: Final = 0.8  # how much of the usual time stays with each answer
RECOVERY: Final = 20  # successes for one more try at once


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of one lane's receiver. Whoever holds the lane keeps it; the lane's row has a copy."""

    width: int = 8  # tries at once, when all is well
    is_ordered: bool = False
    paused_until: datetime | None = None
    fail_streak: int = 0
    strain: float = 0.0  # failures in a row, each by its weight
    failed: tuple[int, ...] = ()  # the first few entries of them
    trips: int = 0  # pauses of the breaker in a row; above 0 the next try is a probe
    narrowed_to: int | None = None  # tries at once, since it asked for fewer
    usual_seconds: float = 0.0  # until its answers are there
    successes: int = 0  # since `narrowed_to` last grew

    @property
    def is_doubtful(self) -> bool:
        """Whether it fails or is slow: such receivers share half of what can be in flight."""
        return self.fail_streak > 0 or self.is_slow

    @property
    def is_slow(self) -> bool:
        """Whether its answers take long."""
        return self.usual_seconds > SLOW_SECONDS

    @property
    def most_at_once(self) -> int:
        """Tries that may be under way together."""
        return 1 if self.is_ordered or self.trips else self.narrowed_to or self.width

    def paused(self, until: datetime | None) -> Health:
        """At rest until then, or longer if it is so already."""
        if until is None or (self.paused_until and self.paused_until >= until):
            return self
        return replace(self, paused_until=until)

    def after(self, result: Result, *, breaker: Breaker | None) -> Health:
        """As it is known once this try has ended."""
        health = self._after_waiting(result.response.timings.total)
        if result.verdict.slows_down:
            health = replace(health, narrowed_to=max(1, (self.narrowed_to or self.width) // 2), successes=0)
        match result.verdict.decision:
            case Decision.DONE:
                return health._after_success()
            case Decision.RETRY:
                return health._after_failure(result, breaker)
            # What is given up speaks against a receiver that has a breaker: else one that is dead would get all
            # entries whose time is over at once. Elsewhere it may be what only this entry deserves.
            case Decision.DEAD if breaker and result.verdict.strain:
                return health._after_failure(result, breaker)
        return health

    def is_worth_writing(self, before: Health) -> bool:
        """Whether whoever holds the lane next should know; not with every answer."""
        if self is before:
            return False
        alike = replace(self, usual_seconds=before.usual_seconds, successes=before.successes)
        return alike != before or self.is_slow != before.is_slow

    def _after_waiting(self, seconds: float) -> Health:
        if not self.usual_seconds and seconds < QUICK_SECONDS:  # as nearly always: nothing to remember
            return self
        return replace(self, usual_seconds=MEMORY * self.usual_seconds + (1 - MEMORY) * seconds)

    def _after_success(self) -> Health:
        health = self
        if self.fail_streak or self.trips:
            health = replace(self, fail_streak=0, strain=0.0, failed=(), trips=0)
        if health.narrowed_to is None:
            return health
        if health.successes + 1 < RECOVERY:
            return replace(health, successes=health.successes + 1)
        wider = health.narrowed_to + 1
        return replace(health, narrowed_to=wider if wider < health.width else None, successes=0)

    def _after_failure(self, result: Result, breaker: Breaker | None) -> Health:
        entry_id, weight = result.claimed.id, result.verdict.strain
        if weight and result.response.is_unreachable:
            weight = max(weight, UNREACHABLE)
        failed = self.failed if entry_id in self.failed else (*self.failed, entry_id)[-DIFFERENT:]
        health = replace(self, fail_streak=self.fail_streak + 1, strain=self.strain + weight, failed=failed)
        if breaker is None or not weight or not health._opens_breaker(result):
            return health
        pause = min(breaker.first_pause * 2 ** min(self.trips, DOUBLINGS), breaker.longest_pause)
        until = result.started_at + timedelta(seconds=result.response.timings.total + pause)
        return replace(health, trips=self.trips + 1).paused(until)

    def _opens_breaker(self, result: Result) -> bool:
        """Whether this failure does; what was under way when it opened opens it no further."""
        if self.trips:
            return self.paused_until is None or result.started_at >= self.paused_until
        return self.strain >= STRAIN and (result.response.is_unreachable or len(self.failed) >= DIFFERENT)
