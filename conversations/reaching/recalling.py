"""What the last send left for the next messages: with the conversation, or, where there is none, with the identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contacts.resolving import Identity
from conversations import conversing, visibility
from conversations.models import Conversation, Direction, Message
from projects.models import App, ProcessingMode


@dataclass(frozen=True, slots=True)
class Kept:
    """A correlation id and metadata that stay until others replace them: wire contract 4.2."""

    correlation_id: str = ""
    metadata: Mapping[str, Any] | None = None

    def renewed(self, *, correlation_id: str, metadata: dict[str, Any] | None, merge: bool) -> Kept:
        """The same with what a send gives; what it does not give stays. Raises as `conversing.patched`."""
        if metadata is not None and merge:
            metadata = conversing.patched(self.metadata, metadata)
        return Kept(correlation_id or self.correlation_id, self.metadata if metadata is None else metadata)


def kept(app: App, identity: Identity, conversation: Conversation | None) -> Kept:
    """What goes with a message of this identity to this app."""
    if conversation is not None:
        return Kept(conversation.correlation_id, conversation.metadata_json)
    return left_with(app, identity)


def left_with(app: App, identity: Identity) -> Kept:
    """By the last message that was dispatched to it, while that is stored: nothing under a TTL of 0 days."""
    dispatched = Message.objects.of_mode(ProcessingMode.DISPATCH).filter(
        project=app.project_id,
        app=app,
        channel=identity.channel,
        identity=identity.identity,
        direction=Direction.TO_CONTACT,
    )
    last = dispatched.order_by("-accept_time").values_list("correlation_id", "conversation_metadata").first()
    if last is None or not any(last) or not visibility.rules.storing([app], ProcessingMode.DISPATCH):
        return Kept()
    return Kept(*last)
