"""What is to become of an entry after a try, before it is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from outbox.dispatching.claiming import Lease
from outbox.kinds import Claimed, Decision, Result

POISON_BASE_SECONDS = 5.0
POISON_CAP_SECONDS = 3600.0
POISON_DOUBLINGS = 16  # beyond them the cap holds anyway


# Not frozen, as what it holds: one is made for every try.
@dataclass(slots=True)
class Settlement:
    """An entry leaves or is put back; with a result, that is recorded too."""

    lease: Lease
    claimed: Claimed
    next_at: datetime | None  # None: it leaves
    result: Result | None = None
    paused_until: datetime | None = None  # the whole lane

    @property
    def outcome(self) -> str:
        """In a word, for who counts."""
        if self.result:
            return self.result.verdict.decision.lower()
        return "broken" if self.next_at else "dropped"


def concluded(lease: Lease, result: Result, *, now: datetime) -> Settlement:
    """The try came to an end, and its verdict says what follows."""
    verdict = result.verdict
    comes_back = verdict.decision is Decision.RETRY
    return Settlement(
        lease,
        result.claimed,
        next_at=now + timedelta(seconds=verdict.after) if comes_back else None,
        result=result,
        paused_until=now + timedelta(seconds=verdict.pause) if verdict.pause > 0 else None,
    )


def dropped(lease: Lease, claimed: Claimed) -> Settlement:
    """Its subject is gone: nothing to send and nothing to record."""
    return Settlement(lease, claimed, next_at=None)


def poisoned(lease: Lease, claimed: Claimed, *, now: datetime) -> Settlement:
    """Its kind could not cope with it: it stays, and comes back later each time."""
    doublings = min(claimed.attempt - 1, POISON_DOUBLINGS)
    delay = min(POISON_CAP_SECONDS, POISON_BASE_SECONDS * 2**doublings)
    return Settlement(lease, claimed, next_at=now + timedelta(seconds=delay))
