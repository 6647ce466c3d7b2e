"""The channels: which adapter serves each, and how an identity on each is written.

LookupError
└── NoAdapter   settle the message with CHANNEL_CONFIGURATION_MISSING: this house cannot speak there
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from django.conf import settings

from gateway.channels import transcoding
from gateway.channels.base import PHONE_CHANNELS, Adapter, Channel, Unsendable
from gateway.channels.sandbox import Sandbox
from gateway.channels.sms import Sms
from gateway.channels.telegram import Telegram

ADAPTERS: dict[Channel, Adapter] = {
    Channel.SMS: Sms(),
    Channel.TELEGRAM: Telegram(),
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


def base_url(channel: Channel) -> str:
    """Where the channel's provider is instead of its public address; empty where nobody moved it."""
    return str(settings.CHANNEL_BASE_URLS.get(channel, "")).rstrip("/")


def transcoded(channel: Channel, content: Mapping[str, Any]) -> str:
    """What becomes of an AppMessage on the channel itself, sandboxed or not; empty where nothing of it can be sent."""
    speaker = ADAPTERS.get(channel)
    try:
        if speaker is None:
            return _worded(channel, transcoding.plain_text(transcoding.given_to(channel, content)))
        return speaker.transcode(content)
    except Unsendable:
        return ""


def _worded(channel: Channel, text: str) -> str:
    """As clients expect it: WhatsApp's in the Cloud API's JSON, the others' as it is. Wire contract 2.5."""
    if channel != Channel.WHATSAPP or not text:
        return text
    return orjson.dumps({"type": "text", "text": {"body": text}}).decode()


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
