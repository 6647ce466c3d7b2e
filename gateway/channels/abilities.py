"""What only some channels can do: an adapter that can has the functions of the protocol too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from gateway.channels.base import Credential, Reason
from gateway.http import Request, Response


@dataclass(frozen=True, slots=True)
class OutboundEvent:
    """An event on its way out. `content` is the contract's app_event."""

    id: str
    identity: str
    content: Mapping[str, Any]


class CapabilityStatus(StrEnum):
    """How much an identity can receive on a channel."""

    CAPABILITY_UNKNOWN = "CAPABILITY_UNKNOWN"
    CAPABILITY_FULL = "CAPABILITY_FULL"
    CAPABILITY_PARTIAL = "CAPABILITY_PARTIAL"
    NO_CAPABILITY = "NO_CAPABILITY"


@dataclass(frozen=True, slots=True)
class Capability:
    """What a channel answered to the question. `reason` where it is not full."""

    status: CapabilityStatus
    capabilities: tuple[str, ...] = ()
    reason: Reason | None = None


@runtime_checkable
class CarriesEvents(Protocol):
    """The channel carries events; `Adapter.read` reads its answer as it does a message's."""

    def build_event(self, event: OutboundEvent, credential: Credential, attempt: int) -> Request | None:
        """The provider's request for this event; None for a kind that the channel does not carry."""


@runtime_checkable
class TellsCapability(Protocol):
    """The channel says what an identity can receive."""

    def ask_capability(self, identity: str, credential: Credential) -> Request:
        """The question."""

    def read_capability(self, response: Response) -> Capability:
        """The answer."""


@runtime_checkable
class AnswersCallbacks(Protocol):
    """The channel reads what its callback is answered with."""

    def callback_answer(self, body: bytes) -> Mapping[str, Any]:
        """The JSON for a callback that was taken in."""


@runtime_checkable
class TellsProfile(Protocol):
    """The channel says who is behind an identity."""

    def ask_profile(self, identity: str, credential: Credential) -> Request:
        """The question."""

    def read_profile(self, response: Response) -> str:
        """The name; empty where the channel told none."""
