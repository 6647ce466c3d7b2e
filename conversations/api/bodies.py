"""What clients may say about messages: bodies and query parameters."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from contacts.consents import ContentType
from contacts.resolving import Identity
from contacts.serializers import normalised
from conversations.composing import contents
from conversations.models import Direction
from conversations.reaching.sending import Draft
from gateway.channels.base import Channel
from projects.models import ProcessingMode
from projects.requests.inputs import Input, Inputs, Json, Listing, Moment, OneOf, Pairs, Text
from webhooks.api.serializers import Target

_DURATION = re.compile(r"-?[0-9]+(\.[0-9]{1,9})?s", re.ASCII)  # as protobuf writes it in JSON


class MetadataStrategy(StrEnum):
    """What becomes of a conversation's metadata that a send does not name."""

    REPLACE = "REPLACE"
    MERGE_PATCH = "MERGE_PATCH"


class Queue(StrEnum):
    """Which of a channel's messages go first."""

    NORMAL_PRIORITY = "NORMAL_PRIORITY"
    HIGH_PRIORITY = "HIGH_PRIORITY"


class Strategy(StrEnum):
    """Whether a message follows its app's processing mode."""

    DEFAULT = "DEFAULT"
    DISPATCH_ONLY = "DISPATCH_ONLY"


class View(StrEnum):
    """Whether a list tells metadata."""

    WITH_METADATA = "WITH_METADATA"
    WITHOUT_METADATA = "WITHOUT_METADATA"


class Source(StrEnum):
    """Which messages: those of conversations, or those dispatched alone."""

    CONVERSATION_SOURCE = "CONVERSATION_SOURCE"
    DISPATCH_SOURCE = "DISPATCH_SOURCE"

    @property
    def mode(self) -> ProcessingMode:
        """In which they were accepted."""
        return ProcessingMode(self.removesuffix("_SOURCE"))


class Duration(serializers.Field):
    """The contract's durations: `"10s"`, fractions allowed."""

    default_error_messages = {
        "invalid": 'must be a duration such as "30s"',
        "range": "must be {lowest:g} to {highest:.0f} seconds",
    }

    def __init__(self, *, lowest: float, highest: float, **options: Any) -> None:
        self.lowest, self.highest = lowest, highest
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> timedelta:
        seconds = self._seconds(data)
        if not self.lowest <= seconds <= self.highest:
            self.fail("range", lowest=self.lowest, highest=self.highest)
        # A century and ten thousand are alike to a message, and to PostgreSQL only one of them is a date.
        return timedelta(seconds=min(seconds, 100 * 365 * 86_400))

    def to_representation(self, value: timedelta) -> str:
        return f"{value.total_seconds():g}s"

    def _seconds(self, data: Any) -> float:
        if not isinstance(data, str) or not _DURATION.fullmatch(data):
            self.fail("invalid")
        return float(data.removesuffix("s"))


class RecipientIdentity(Input):
    """An identity as a send names it."""

    channel = OneOf(Channel)
    identity = Text()

    def validate(self, attrs: dict[str, Any]) -> Identity:
        """As it is kept and compared."""
        return Identity(attrs["channel"], normalised(attrs["channel"], attrs["identity"]))


class IdentifiedBy(Input):
    """A recipient by its identities."""

    channel_identities = Inputs(child=RecipientIdentity(), allow_empty=False)


class Addressee(Input):
    """A contact, or identities: one of the two."""

    contact_id = Text(required=False)
    identified_by = IdentifiedBy(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one way to name the recipient."""
        if bool(attrs.get("contact_id")) == bool(attrs.get("identified_by")):
            raise ValidationError("must have either contact_id or identified_by")
        return attrs


class SendRequest(Input):
    """The contract's SendMessageRequest."""

    app_id = Text()
    recipient = Addressee()
    message = Json()
    callback_url = Target(required=False)
    channel_priority_order = Listing(child=OneOf(Channel), required=False)
    channel_properties = Pairs(child=Text(max_length=1024, allow_blank=True), required=False)
    message_metadata = Text(required=False, max_length=1024)
    conversation_metadata = Pairs(required=False)
    conversation_metadata_update_strategy = OneOf(MetadataStrategy, required=False)
    queue = OneOf(Queue, required=False)
    ttl = Duration(lowest=3, highest=315_576_000_000, required=False)
    processing_strategy = OneOf(Strategy, required=False)
    correlation_id = Text(required=False, max_length=128)
    message_content_type = OneOf(ContentType, required=False)

    def validate_message(self, content: Any) -> dict[str, Any]:
        """By the contract's message types."""
        return contents.checked(content)

    def validate_conversation_metadata(self, metadata: dict[str, Any]) -> dict[str, Any] | None:
        """At most 2048 characters as compact JSON: wire contract 7."""
        return contents.metadata_json(metadata)


class MessageFilter(Input):
    """The message list's query parameters."""

    conversation_id = Text(required=False)
    contact_id = Text(required=False)
    app_id = Text(required=False)
    channel_identity = Text(required=False)
    start_time = Moment(required=False)
    end_time = Moment(required=False)
    view = OneOf(View, default=View.WITH_METADATA)
    messages_source = OneOf(Source, default=Source.CONVERSATION_SOURCE)
    only_recipient_originated = serializers.BooleanField(default=False)  # arrives as text
    channel = OneOf(Channel, required=False)
    direction = OneOf(Direction, required=False)


class MessageChange(Input):
    """What may be changed of a message."""

    metadata = Text(max_length=1024, allow_blank=True)


class LastMessages(Input):
    """The body of fetch-last-message: of each identity, or of each contact, the newest message."""

    channel_identities = Listing(child=Text(), required=False)
    contact_ids = Listing(child=Text(), required=False)
    app_id = Text(required=False)
    messages_source = OneOf(Source, default=Source.CONVERSATION_SOURCE)
    view = OneOf(View, default=View.WITH_METADATA)
    start_time = Moment(required=False)
    end_time = Moment(required=False)
    channel = OneOf(Channel, required=False)
    direction = OneOf(Direction, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two ways to name people; contacts have messages in conversations alone."""
        if bool(attrs.get("channel_identities")) == bool(attrs.get("contact_ids")):
            raise ValidationError(
                {"channel_identities": ["either channel_identities or contact_ids is required"]}
            )
        if attrs.get("contact_ids") and attrs["messages_source"] == Source.DISPATCH_SOURCE:
            raise ValidationError({"contact_ids": ["dispatched messages belong to no contact"]})
        return attrs


class Transcoding(Input):
    """What would become of a message on some channels."""

    app_id = Text()
    app_message = Json()
    channels = Listing(child=OneOf(Channel), allow_empty=False)

    def validate_app_message(self, content: Any) -> dict[str, Any]:
        """By the contract's message types."""
        return contents.checked(content)


def draft(body: dict[str, Any]) -> Draft:
    """What the sending flow takes, out of a SendRequest."""
    return Draft(
        content=body["message"],
        metadata=body.get("message_metadata", ""),
        correlation_id=body.get("correlation_id", ""),
        conversation_metadata=body.get("conversation_metadata"),
        merges_metadata=body.get("conversation_metadata_update_strategy") == MetadataStrategy.MERGE_PATCH,
        channel_order=body.get("channel_priority_order", ()),
        channel_properties=body.get("channel_properties", {}),
        callback_url=body.get("callback_url", ""),
        ttl=body.get("ttl"),
        is_urgent=body.get("queue") == Queue.HIGH_PRIORITY,
        content_type=body.get("message_content_type", ContentType.CONTENT_UNKNOWN),
        is_dispatched=body.get("processing_strategy") == Strategy.DISPATCH_ONLY,
    )
