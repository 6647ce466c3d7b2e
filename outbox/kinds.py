"""What a user of the outbox registers: how its entries become requests, and what their answers mean."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from gateway.http import Client, Request, Response

Send = Callable[[Request], Awaitable[Response]]


class Decision(StrEnum):
    """What becomes of an entry after a try."""

    DONE = "DONE"  # it leaves the outbox
    RETRY = "RETRY"  # it comes back
    DEAD = "DEAD"  # it leaves the outbox without success


# Of this and of `Result` one is made for every try. They are not frozen, as that takes half as long; nobody changes
# them.
@dataclass(slots=True)
class Claimed:
    """An entry that this dispatcher holds."""

    id: int
    owner: UUID
    ref: UUID
    attempt: int  # counts from 1
    created_at: datetime
    due_at: datetime
    is_probe: bool = False  # its receiver fails: now and then one try finds out whether it still does


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means."""

    decision: Decision
    after: float = 0.0  # seconds until the next try
    pause: float = 0.0  # seconds the whole lane rests, whatever the decision
    slows_down: bool = False  # the receiver asks for less: half as many tries at once from now on
    strain: float = 1.0  # how much a failure speaks against the receiver: 0.5 counts half, 0.0 not at all
    outcome: Any = None  # the user's own, handed back to `record`


@dataclass(slots=True)
class Result:
    """One finished try."""

    claimed: Claimed
    request: Request
    response: Response
    verdict: Verdict
    started_at: datetime


class Kind(Protocol):
    """One user of the outbox. What it raises is logged and costs the entry a delay, never the entry."""

    name: str

    def load(self, entries: Sequence[Claimed]) -> Mapping[int, Request]:
        """The requests by entry id, in one query. An entry left out has lost its subject and is dropped."""
        ...

    def read(self, claimed: Claimed, request: Request, response: Response) -> Verdict:
        """What the answer means. Runs between two sends: no database, no waiting."""
        ...

    def record(self, results: Sequence[Result]) -> None:
        """Keep what became of them, in the transaction in which the entries leave or are put back.

        Gets only results of entries that were still held. It may put further entries.
        """
        ...


@runtime_checkable
class Courier(Protocol):
    """A kind that sends its requests in its own way: some take more than one exchange, such as for a token."""

    def sender(self, client: Client) -> Send:
        """What one dispatcher sends them with; asked for once, so it may keep what its requests share.

        As the client, it answers whatever happens. It may be cancelled while it waits.
        """
        ...

    def carries(self, request: Request) -> bool:
        """Whether this one needs that; the others go as they are, which costs less."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How many tries a second the lanes of a group make together."""

    group: str  # of lanes of whatever kind
    per_second: float


@runtime_checkable
class Paced(Protocol):
    """A kind whose lanes may not send as fast as they can."""

    def paces(self, owners: Sequence[UUID]) -> Mapping[UUID, Pace]:
        """By owner how fast its lane may send; one left out has no limit. Its lane has something due."""
        ...


@dataclass(frozen=True, slots=True)
class Breaker:
    """How long a lane rests whose receiver fails again and again: longer each time, in seconds."""

    first_pause: float
    longest_pause: float


@runtime_checkable
class Guarded(Protocol):
    """A kind that leaves receivers alone which fail: after a pause a single try finds out how they are."""

    def breaker(self) -> Breaker:
        """The pauses, as the settings have them now."""
        ...


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Let dispatchers serve the lanes of this kind; called when the app registry is ready."""
    _kinds[kind.name] = kind


def unregister(name: str) -> None:
    """Leave the lanes of this kind alone from now on."""
    _kinds.pop(name, None)


def registered() -> Mapping[str, Kind]:
    """The kinds this process can serve, by name."""
    return dict(_kinds)


def registered_as(name: str) -> Kind:
    """The kind of that name. Raises KeyError."""
    return _kinds[name]
