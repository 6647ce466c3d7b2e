"""What goes through the door and what comes back: requests and responses as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

KEPT_BYTES = 4096  # of an answer's body, unless the request asks for more


class Timings(NamedTuple):
    """Seconds since the start of the request until each step was done; 0.0 for a step that never was."""

    dns: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    first_byte: float = 0.0
    total: float = 0.0


_NEVER = Timings()


# Neither this nor a request is frozen: one of each is made for every delivery, and that takes half as long. Nobody
# changes them.
@dataclass(slots=True)
class Response:
    """What came back, or why nothing did.

    `error` is one of "" (there is an answer), "timeout", "dns", "connect" and "tls" (never reached),
    "forbidden" (the guard refused the address), "bad_url" (this cannot be sent at all) and "protocol"
    (the exchange broke off: the other side may have taken the request).
    """

    status: int  # 0 when no answer came
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = b""  # at most the request's `max_body`
    error: str = ""
    detail: str = ""
    peer: str = ""  # the address that answered
    timings: Timings = _NEVER

    @property
    def is_success(self) -> bool:
        """Whether the other side took it."""
        return 200 <= self.status < 300

    @property
    def is_unreachable(self) -> bool:
        """Whether there was no connection that a request could have gone over."""
        return self.error in _NEVER_REACHED


_NEVER_REACHED = frozenset({"dns", "connect", "tls"})


@dataclass(slots=True)
class Request:
    """What to send. An `answer` that is known without asking the network is returned at once."""

    method: str
    # Tokens stand in headers, in bodies and even in URLs: none of them may reach a log.
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    timeout: float = 15.0  # seconds, for everything to the last byte, once the name is known
    max_body: int = KEPT_BYTES
    # A connection that was kept may break before there is an answer. Then this is sent once more over another, unless
    # it must not come twice; the other side may have taken it.
    is_repeatable: bool = True
    answer: Response | None = None
    tag: Any = None  # the sender's own: carried along, never looked at
