"""What clients may say about conversations: bodies and query parameters."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from contacts.serializers import ScopedIdentityBody
from conversations.composing import contents
from conversations.models import Conversation, Direction, Message
from gateway.channels.base import Channel
from projects.models import ProcessingMode
from projects.requests.inputs import Flag, Input, Moment, OneOf, Pairs, Text

NO_CHANNEL = "CHANNEL_UNSPECIFIED"  # the contract's empty value


class Order(StrEnum):
    """Whether a list begins with the oldest or with the newest."""

    ASC = "ASC"
    DESC = "DESC"


class ConversationFilter(Input):
    """The conversation list's query parameters."""

    app_id = Text(required=False)
    contact_id = Text(required=False)
    only_active = serializers.BooleanField(default=False)  # arrives as text
    active_channel = OneOf(Channel, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A list of everything would be of no use to anybody."""
        if not attrs.get("app_id") and not attrs.get("contact_id"):
            raise ValidationError({"app_id": ["app_id or contact_id is required"]})
        return attrs


class RecentFilter(Input):
    """The query parameters of the recent conversations."""

    app_id = Text()
    only_active = serializers.BooleanField(default=False)  # arrives as text
    order = OneOf(Order, default=Order.DESC)


class ConversationBody(Input):
    """The contract's Conversation, as far as a client writes it."""

    active = Flag(default=True)
    active_channel = OneOf([*Channel, NO_CHANNEL], default=NO_CHANNEL)
    metadata = Text.of(Conversation, "metadata")
    metadata_json = Pairs(default=dict)
    correlation_id = Text.of(Conversation, "correlation_id")

    def validate_active_channel(self, channel: str) -> str:
        """None is kept as nothing."""
        return "" if channel == NO_CHANNEL else channel

    def validate_metadata_json(self, metadata: dict[str, Any]) -> dict[str, Any] | None:
        """At most 2048 characters as compact JSON."""
        return contents.metadata_json(metadata)


class NewConversation(Input):
    """What a new conversation cannot do without."""

    app_id = Text()
    contact_id = Text()


class Injection(Input):
    """A message that was exchanged elsewhere: wire contract 4.5."""

    app_message = serializers.JSONField(required=False)
    contact_message = serializers.JSONField(required=False)
    accept_time = Moment()
    channel_identity = ScopedIdentityBody()
    contact_id = Text()
    direction = OneOf(Direction)
    conversation_id = Text(required=False)
    sender_id = Text.of(Message, "sender_id")
    processing_mode = OneOf([ProcessingMode.CONVERSATION], default=ProcessingMode.CONVERSATION)
    metadata = Text.of(Message, "metadata")

    def validate_app_message(self, content: Any) -> dict[str, Any]:
        """By the contract's message types."""
        return contents.checked(content)

    def validate_contact_message(self, content: Any) -> dict[str, Any]:
        """By the contract's message types."""
        return contents.checked_of_contact(content)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The message's kind says which way it went."""
        wanted = "app_message" if attrs["direction"] == Direction.TO_CONTACT else "contact_message"
        if not ({"app_message", "contact_message"} & attrs.keys()) == {wanted}:
            raise ValidationError(
                {wanted: [f"is required, and alone, when the direction is {attrs['direction']}"]}
            )
        return attrs | {"content": attrs[wanted]}
