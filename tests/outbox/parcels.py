"""A user of the outbox, as small as one can be: a parcel is a POST to a path named for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from gateway.http import Request, Response
from outbox.kinds import Claimed, Decision, Result, Verdict

DONE = Verdict(Decision.DONE)


def done_if_ok(claimed: Claimed, response: Response) -> Verdict:
    return DONE if response.status == 200 else Verdict(Decision.RETRY, after=1.0)


class Parcels:
    """Sends each parcel to `url`/ref."""

    def __init__(
        self,
        url: str,
        *,
        name: str = "parcels",
        judge: Callable[[Claimed, Response], Verdict] = done_if_ok,
        timeout: float = 15.0,
    ) -> None:
        self.name = name
        self.url = url
        self.judge = judge
        self.timeout = timeout
        self.lost: set[UUID] = set()  # refs whose subject is gone
        self.unreadable: set[UUID] = set()  # refs that cannot be loaded
        self.unrecordable: set[UUID] = set()  # refs that cannot be recorded
        self.recorded: list[Result] = []
        self.after_record: Callable[[Sequence[Result]], None] = lambda _: None

    @property
    def recorded_refs(self) -> list[UUID]:
        return [result.claimed.ref for result in self.recorded]

    def load(self, entries: Sequence[Claimed]) -> Mapping[int, Request]:
        if self.unreadable & {entry.ref for entry in entries}:
            raise ValueError("This parcel cannot be read.")
        return {
            entry.id: Request("POST", f"{self.url}/{entry.ref}", timeout=self.timeout)
            for entry in entries
            if entry.ref not in self.lost
        }

    def read(self, claimed: Claimed, request: Request, response: Response) -> Verdict:
        return self.judge(claimed, response)

    def record(self, results: Sequence[Result]) -> None:
        if self.unrecordable & {result.claimed.ref for result in results}:
            raise ValueError("This result cannot be kept.")
        self.recorded.extend(results)
        self.after_record(results)
