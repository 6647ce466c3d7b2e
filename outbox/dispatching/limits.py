"""How much one dispatcher takes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """Counts, and times in seconds unless they say otherwise."""

    lanes: int = 500  # held at once: a lane that waits for a hanging receiver costs little
    in_flight: int = 512  # requests of all lanes at once
    unflushed: int = 128  # answers that wait to be written
    page: int = 100  # entries of one lane read at once: ids only
    batch: int = 250  # entries loaded or flushed at once
    lease: timedelta = timedelta(seconds=30)
    heartbeat: float = 5.0
    slice: float = 3.0  # a lane is served so long while others wait to be claimed
    linger: float = 1.0  # a lane that has run dry is kept so long, for what comes next
    longest_linger: float = 10.0  # since it was claimed
    poll: float = 0.25
    poll_without_bell: float = 1.0
    grace: float = 10.0  # at a stop, for requests that are in flight
