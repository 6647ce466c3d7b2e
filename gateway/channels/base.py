"""What every channel adapter is made of: the contract between a provider and the house."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from gateway.http import Request, Response


class Channel(StrEnum):
    """The channels of the wire contract, and the sandbox."""

    WHATSAPP = "WHATSAPP"
    RCS = "RCS"
    SMS = "SMS"
    MESSENGER = "MESSENGER"
    VIBER = "VIBER"
    VIBERBM = "VIBERBM"
    MMS = "MMS"
    INSTAGRAM = "INSTAGRAM"
    TELEGRAM = "TELEGRAM"
    KAKAOTALK = "KAKAOTALK"
    KAKAOTALKCHAT = "KAKAOTALKCHAT"
    LINE = "LINE"
    WECHAT = "WECHAT"
    APPLEBC = "APPLEBC"
    SANDBOX = "SANDBOX"


# One person has another identity in each app here: key concepts, "channel identity".
APP_SCOPED = frozenset({Channel.MESSENGER, Channel.VIBER, Channel.INSTAGRAM, Channel.LINE, Channel.WECHAT})
# Identities are E.164 numbers, kept without the plus.
PHONE_CHANNELS = frozenset(
    {Channel.SMS, Channel.MMS, Channel.RCS, Channel.WHATSAPP, Channel.VIBERBM, Channel.SANDBOX}
)

# One number is one person on these: wire contract 3.4, "unified contacts".
SAME_NUMBER = frozenset({Channel.SMS, Channel.MMS, Channel.RCS})


class ReasonCode(StrEnum):
    """Why a message failed or switched channel: the wire contract's codes that this house gives."""

    UNKNOWN = "UNKNOWN"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    RATE_LIMITED = "RATE_LIMITED"
    RECIPIENT_INVALID_CHANNEL_IDENTITY = "RECIPIENT_INVALID_CHANNEL_IDENTITY"
    RECIPIENT_NOT_REACHABLE = "RECIPIENT_NOT_REACHABLE"
    RECIPIENT_NOT_OPTED_IN = "RECIPIENT_NOT_OPTED_IN"
    OUTSIDE_ALLOWED_SENDING_WINDOW = "OUTSIDE_ALLOWED_SENDING_WINDOW"
    CHANNEL_FAILURE = "CHANNEL_FAILURE"
    CHANNEL_BAD_CONFIGURATION = "CHANNEL_BAD_CONFIGURATION"
    CHANNEL_CONFIGURATION_MISSING = "CHANNEL_CONFIGURATION_MISSING"
    MEDIA_TYPE_UNSUPPORTED = "MEDIA_TYPE_UNSUPPORTED"
    MEDIA_TOO_LARGE = "MEDIA_TOO_LARGE"
    MEDIA_NOT_REACHABLE = "MEDIA_NOT_REACHABLE"
    NO_CHANNELS_LEFT = "NO_CHANNELS_LEFT"
    TEMPLATE_NOT_FOUND = "TEMPLATE_NOT_FOUND"
    TEMPLATE_INSUFFICIENT_PARAMETERS = "TEMPLATE_INSUFFICIENT_PARAMETERS"
    TEMPLATE_NON_EXISTING_LANGUAGE_OR_VERSION = "TEMPLATE_NON_EXISTING_LANGUAGE_OR_VERSION"
    DELIVERY_TIMED_OUT = "DELIVERY_TIMED_OUT"
    DELIVERY_REJECTED_DUE_TO_POLICY = "DELIVERY_REJECTED_DUE_TO_POLICY"
    CONTACT_NOT_FOUND = "CONTACT_NOT_FOUND"
    BAD_REQUEST = "BAD_REQUEST"
    UNKNOWN_APP = "UNKNOWN_APP"
    NO_CHANNEL_IDENTITY_FOR_CONTACT = "NO_CHANNEL_IDENTITY_FOR_CONTACT"
    CHANNEL_REJECT = "CHANNEL_REJECT"
    NO_PERMISSION = "NO_PERMISSION"
    NO_PROFILE_AVAILABLE = "NO_PROFILE_AVAILABLE"
    UNSUPPORTED_OPERATION = "UNSUPPORTED_OPERATION"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, in the contract's words and the provider's."""

    code: ReasonCode
    description: str = ""
    sub_code: str = "UNSPECIFIED_SUB_CODE"
    channel_code: str = ""


@dataclass(frozen=True, slots=True)
class Outbound:
    """A message on its way out, as an adapter sees it. `content` is the contract's AppMessage."""

    id: str
    identity: str
    content: Mapping[str, Any]
    properties: Mapping[str, str] = field(default_factory=dict)
    accept_time: datetime | None = None
    expires_at: datetime | None = None  # nobody wants it any more then


@dataclass(frozen=True, slots=True)
class Credential:
    """How an app authenticates against one channel. `values` is the contract's credential object."""

    id: str
    channel: Channel
    values: Mapping[str, Any] = field(repr=False)
    callback_secret: str = field(default="", repr=False)
    callback_url: str = ""
    base_url: str = ""  # where the provider is, instead of its public address; without a slash at the end


class Decision(StrEnum):
    """What the router does after a try."""

    ACCEPTED = "ACCEPTED"  # the provider took it: wait for its receipt
    RETRY = "RETRY"  # the same channel again, later
    UNKNOWN = "UNKNOWN"  # it may have been taken: never a second time; its receipt or its ttl decides
    NEXT = "NEXT"  # this person cannot be reached here: next candidate
    OPTED_OUT = "OPTED_OUT"  # record it, then NEXT
    CREDENTIAL = "CREDENTIAL"  # the credential is dead: mark it FAILING, then NEXT
    PERMANENT = "PERMANENT"  # our request is wrong everywhere: FAILED


@dataclass(frozen=True, slots=True)
class Echo:
    """A callback that the channel will make by itself, `delay` seconds from now (the sandbox only)."""

    delay: float
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try to send ended."""

    decision: Decision
    channel_message_id: str = ""
    reason: Reason | None = None
    after: float | None = None  # seconds until RETRY, when the provider said
    echoes: tuple[Echo, ...] = ()


class ReceiptStatus(StrEnum):
    """What a provider can report of a message it took."""

    QUEUED_ON_CHANNEL = "QUEUED_ON_CHANNEL"
    DELIVERED = "DELIVERED"
    READ = "READ"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Inbound:
    """A contact wrote. `content` is the contract's ContactMessage.

    `choice` is the place of what was chosen among all choices of the message answered, where the channel had no
    room for the choice's postback_data; the content then has an empty one.
    """

    channel_message_id: str
    identity: str
    content: Mapping[str, Any]
    sent_at: datetime | None = None
    sender_id: str = ""
    profile_name: str = ""
    choice: int | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message we sent.

    `message_id` is our own id, where the channel gives it back: a receipt may come before the answer that brings
    the channel's id, or without one. `decision` says what follows a FAILED.
    """

    channel_message_id: str
    status: ReceiptStatus
    reason: Reason | None = None
    occurred_at: datetime | None = None
    message_id: str = ""
    decision: Decision = Decision.NEXT


@dataclass(frozen=True, slots=True)
class OptOut:
    """A contact no longer wants messages on this channel."""

    identity: str
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """A contact did something other than writing. `content` has one key: contact_event or contact_message_event."""

    channel_event_id: str
    identity: str
    content: Mapping[str, Any]
    occurred_at: datetime | None = None
    profile_name: str = ""


@dataclass(frozen=True, slots=True)
class ChannelEvent:
    """The channel reports about itself, in its own words."""

    event_type: str
    data: Mapping[str, Any] = field(default_factory=dict)
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unsupported:
    """The channel said what has no place in the contract: `payload` as it came. `identity` where it names one."""

    payload: str
    identity: str = ""


Event = Inbound | Receipt | OptOut | InboundEvent | ChannelEvent | Unsupported


class Receipts(StrEnum):
    """The furthest that a channel reports of a message."""

    NONE = "NONE"
    DELIVERED = "DELIVERED"
    READ = "READ"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can carry. Media and choices that it cannot show go as lines of text."""

    longest_text: int  # characters
    receipts: Receipts
    longest_caption: int = 0  # characters of text that go with a medium
    media: frozenset[str] = frozenset()  # "image", "video", "audio", "document"
    buttons: frozenset[str] = frozenset()  # the contract's kinds of choices


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How many messages a provider takes in a time, from one credential or for one recipient."""

    count: int
    seconds: float
    is_per_recipient: bool = False


class Unsendable(Exception):
    """The channel cannot carry this content: the next one may."""

    def __init__(self, code: ReasonCode, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


class Adapter(Protocol):
    """A channel: stateless and pure. It never does I/O."""

    label: str
    credential_key: str  # the credential object's name on the wire
    capabilities: Capabilities
    rate_limits: Sequence[RateLimit]
    # Header names and JSON keys whose values no trace shows. Nor does it show the credential's secrets, wherever
    # they stand: in a URL too.
    redact_keys: frozenset[str]
    is_repeatable: bool  # the same message twice is one to the provider: a time-out may be retried

    def build(self, message: Outbound, credential: Credential, attempt: int) -> Request:
        """The provider's request for this message; `attempt` counts from 1.

        For content that the channel cannot carry, a request that is already answered with NEXT.
        """

    def read(self, response: Response) -> Outcome:
        """What the provider's answer means, or that there is none."""

    def verify(self, headers: Mapping[str, str], body: bytes, url: str, secret: str) -> bool:
        """Whether a callback is really the provider's. Header names in lower case."""

    def parse(self, body: bytes) -> list[Event]:
        """What a callback says; `[]` for what tells nobody anything. Raises ValueError for what is no callback."""

    def transcode(self, content: Mapping[str, Any]) -> str:
        """What becomes of an AppMessage here: plain text, else the provider's JSON. Raises Unsendable."""
