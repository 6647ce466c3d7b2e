"""What clients may say about events, capability queries and profiles: bodies and query parameters."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ValidationError

from contacts.serializers import ScopedIdentityBody
from conversations.api.bodies import Addressee, Queue
from conversations.events.sending import EventDraft
from gateway.channels.base import Channel
from projects.models import ProcessingMode
from projects.requests.inputs import Input, Listing, Moment, OneOf, Pairs, Text
from webhooks.api.serializers import Target

AGENT_TYPES = ("UNKNOWN_AGENT_TYPE", "HUMAN", "BOT")
PROFILED = (Channel.MESSENGER, Channel.INSTAGRAM, Channel.VIBER, Channel.LINE)  # wire contract 2.3


class CommentReply(Input):
    """An answer to a comment."""

    text = Text()


class Agent(Input):
    """Who speaks for the app."""

    display_name = Text(required=False)
    type = OneOf(AGENT_TYPES, required=False)
    picture_url = Text(required=False)


class OfAgent(Input):
    """An agent comes or goes."""

    agent = Agent()


class Generic(Input):
    """An event of the client's own making."""

    payload = Pairs()


class AppEvent(Input):
    """The contract's app_event: exactly one kind. Empty kinds are empty objects."""

    composing_event = Pairs(required=False)
    composing_end_event = Pairs(required=False)
    comment_reply_event = CommentReply(required=False)
    agent_joined_event = OfAgent(required=False)
    agent_left_event = OfAgent(required=False)
    generic_event = Generic(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One, and no more."""
        if len(attrs) != 1:
            raise ValidationError(f"must have one of {', '.join(self.fields)}")
        return attrs


class EventRequest(Input):
    """The contract's SendEventRequest."""

    app_id = Text()
    event = AppEvent()
    recipient = Addressee()
    callback_url = Target(required=False)
    # An event has one channel: wire contract 2.6.
    channel_priority_order = Listing(child=OneOf(Channel), required=False, max_length=1)
    event_metadata = Text(required=False, max_length=1024)
    queue = OneOf(Queue, required=False)


class EventFilter(Input):
    """The event list's query parameters."""

    conversation_id = Text(required=False)
    contact_id = Text(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A list of everything would be of no use to anybody."""
        if not attrs.get("conversation_id") and not attrs.get("contact_id"):
            raise ValidationError({"conversation_id": ["conversation_id or contact_id is required"]})
        return attrs


class EventInjection(Input):
    """An event that happened elsewhere: wire contract 4.5."""

    app_event = AppEvent()
    accept_time = Moment()
    conversation_id = Text(required=False)
    contact_id = Text(required=False)
    channel_identity = ScopedIdentityBody(required=False)
    processing_mode = OneOf([ProcessingMode.CONVERSATION], default=ProcessingMode.CONVERSATION)


class CapabilityRequest(Input):
    """The contract's QueryCapabilityRequest."""

    app_id = Text()
    recipient = Addressee()
    request_id = Text(required=False, max_length=255)


class ProfileRequest(Input):
    """Whose name is asked of which channel."""

    app_id = Text()
    recipient = Addressee()
    channel = OneOf(PROFILED)


class MergeRequest(Input):
    """Which contact goes into the one of the path."""

    source_id = Text()
    strategy = OneOf(["MERGE"], default="MERGE")


def event_draft(body: dict[str, Any]) -> EventDraft:
    """What the sending flow takes, out of an EventRequest."""
    return EventDraft(
        app_event=body["event"],
        metadata=body.get("event_metadata", ""),
        channel_order=body.get("channel_priority_order", ()),
        callback_url=body.get("callback_url", ""),
        is_urgent=body.get("queue") == Queue.HIGH_PRIORITY,
    )
