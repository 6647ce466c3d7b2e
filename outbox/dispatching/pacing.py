"""Pacing: lanes that share a limit take turns under it, whichever of them has something to send."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from django.db import InterfaceError, OperationalError

from outbox import kinds
from outbox.dispatching.claiming import Lease
from outbox.dispatching.database import Database
from outbox.kinds import Pace, Paced

logger = logging.getLogger(__name__)

FRESH_SECONDS = 5.0  # how long a changed limit may go unnoticed
BURST_SECONDS = 0.1  # what was not used of them may be caught up
_UNKNOWN: Final = (0.0, None)


class Paces:
    """What one dispatcher keeps to.

    A group's lanes count together as long as one dispatcher holds them; a lane of its own keeps its pace
    however many dispatchers there are, for only one holds it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[int, tuple[float, Pace | None]] = {}  # by lane: since when, and what
        self._free_at: dict[str, float] = {}  # by group: the next turn that nobody has
        self._turns: dict[int, float] = {}  # by lane: when its own comes; it keeps it while it yields

    async def learn(self, leases: Sequence[Lease]) -> None:
        """Ask their kinds how fast these lanes may send, unless that was asked a moment ago."""
        stale = time.monotonic() - FRESH_SECONDS
        asked: dict[str, list[Lease]] = defaultdict(list)
        for lease in leases:
            if self._known.get(lease.lane_id, _UNKNOWN)[0] < stale:
                asked[lease.kind].append(lease)
        for name, group in asked.items():
            kind = kinds.registered()[name]
            paces = await self._database.run(_paces, kind, group) if isinstance(kind, Paced) else {}
            for lease in group:
                self._known[lease.lane_id] = (time.monotonic(), paces.get(lease.owner))

    def turns_in(self, lease: Lease, *, seconds: float) -> float:
        """How many turns the lane can have in that time, at least one."""
        pace = self._pace(lease)
        return max(1.0, pace.per_second * seconds) if pace else float("inf")

    def take_turn(self, lease: Lease) -> float:
        """Take the lane's turn if it has come, then 0; else the seconds until it comes."""
        pace = self._pace(lease)
        if pace is None:
            return 0.0
        now = time.monotonic()
        if lease.lane_id not in self._turns:
            turn_at = max(self._free_at.get(pace.group, 0.0), now - BURST_SECONDS)
            self._turns[lease.lane_id] = turn_at
            self._free_at[pace.group] = turn_at + 1 / pace.per_second
        if (turn_at := self._turns[lease.lane_id]) > now:
            return turn_at - now
        del self._turns[lease.lane_id]
        return 0.0

    def forget(self, *, held: Sequence[Lease]) -> None:
        """Keep what still matters: of the lanes that are held, and of the groups whose next turn is to come."""
        now, ids = time.monotonic(), {lease.lane_id for lease in held}
        self._known = {
            lane_id: known
            for lane_id, known in self._known.items()
            if lane_id in ids or known[0] > now - FRESH_SECONDS
        }
        self._turns = {
            lane_id: turn_at for lane_id, turn_at in self._turns.items() if lane_id in ids or turn_at > now
        }
        self._free_at = {
            group: free_at for group, free_at in self._free_at.items() if free_at > now - BURST_SECONDS
        }

    def _pace(self, lease: Lease) -> Pace | None:
        return self._known.get(lease.lane_id, _UNKNOWN)[1]


def _paces(kind: Paced, leases: Sequence[Lease]) -> Mapping[UUID, Pace]:
    try:
        return kind.paces([lease.owner for lease in leases])
    except (OperationalError, InterfaceError):
        raise  # the database went away: it is asked again
    except Exception:
        logger.exception("How fast to send is not known: as fast as it goes")
        return {}
