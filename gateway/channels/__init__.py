"""The channels: which adapter serves each, and how an identity on each is written.

LookupError
└── NoAdapter   settle the message with CHANNEL_CONFIGURATION_MISSING: this house cannot speak there
"""

from __future__ import annotations

from django.conf import settings

from gateway.channels.base import PHONE_CHANNELS, Adapter, Channel
from gateway.channels.sandbox import Sandbox

ADAPTERS: dict[Channel, Adapter] = {
    Channel.SANDBOX: Sandbox(),
}

LONGEST_IDENTITY = 255  # characters
PHONE_DIGITS = range(5, 16)  # E.164 knows at most 15; short codes have five


class NoAdapter(LookupError):
    """Nothing here speaks to this channel."""


def adapter(channel: Channel) -> Adapter:
    """Who speaks to this channel: the sandbox where it stands in. Raises NoAdapter."""
    serving = Channel.SANDBOX if is_sandboxed(channel) else channel
    if serving not in ADAPTERS:
        raise NoAdapter(f"There is no adapter for {channel} yet.")
    return ADAPTERS[serving]


def is_sandboxed(channel: Channel) -> bool:
    """Whether nothing that is sent on this channel leaves the machine."""
    return channel == Channel.SANDBOX or not {"*", channel}.isdisjoint(settings.CHANNELS_SANDBOXED)


def normalise(channel: Channel, identity: str) -> str:
    """An identity as it is kept and compared: phone numbers as bare digits. Raises ValueError."""
    identity = identity.strip()
    if channel in PHONE_CHANNELS:
        number = identity.removeprefix("+").strip()
        if not (number.isascii() and number.isdigit() and len(number) in PHONE_DIGITS):
            raise ValueError(f"An identity on {channel} is an international phone number of 5 to 15 digits.")
        return number
    if not identity:
        raise ValueError(f"An identity on {channel} may not be empty.")
    if len(identity) > LONGEST_IDENTITY:
        raise ValueError(f"An identity on {channel} has at most {LONGEST_IDENTITY} characters.")
    if not identity.isprintable():
        raise ValueError(f"An identity on {channel} may not hold control characters.")
    return identity
