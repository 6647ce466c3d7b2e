"""The enumerations."""

from __future__ import annotations

from typing import Final

from contacts.models import LANGUAGES
from conversations.models import Direction, Status
from gateway.channels.base import Channel, ReasonCode
from portal.openapi.shapes import (
    member,
)
from projects.models import ProcessingMode
from retention.policies import PolicyType
from webhooks.triggers import Trigger

ENUMERATIONS: Final = {
    "Channel": member(
        Channel, examples=["SMS"], description="SANDBOX is an extension: a channel without a provider."
    ),
    "Trigger": member(Trigger, examples=["MESSAGE_INBOUND"]),
    "Language": member(LANGUAGES, examples=["EN"]),
    "PolicyType": member(PolicyType.values),
    "ReasonCode": member(ReasonCode, examples=["RECIPIENT_NOT_REACHABLE"]),
    "ProcessingMode": member(ProcessingMode.values),
    "Direction": member(Direction.values, examples=["TO_CONTACT"]),
    "DeliveryStatus": member(
        [status for status in Status if status != Status.ACCEPTED], examples=["DELIVERED"]
    ),
}
