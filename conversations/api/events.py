"""Events over the API, and what is asked of channels."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.resolving import Identity
from conversations import deleting, visibility
from conversations.api.conversations import OfConversation
from conversations.api.event_bodies import (
    CapabilityRequest,
    EventFilter,
    EventInjection,
    EventRequest,
    event_draft,
)
from conversations.api.recipients import recipient
from conversations.events import payloads, sending
from conversations.hearing import capability
from conversations.models import Conversation, ConversationEvent
from conversations.visibility import Within
from projects import clock, ids
from projects.models import ProcessingMode
from projects.requests.paging import Page
from projects.requests.scoping import ProjectView, found, matching
from projects.requests.wire import FailedPrecondition, timestamp


class SendEvent(ProjectView):
    """POST /events:send."""

    def post(self, request: Request, project_id: str) -> Response:
        """Accept an event: checked, stored, routed and queued."""
        body = EventRequest.read(request.data)
        app = self.app(body["app_id"])
        event = sending.send(
            app=app, recipient=recipient(app, body["recipient"]), draft=event_draft(body), now=clock.now()
        )
        return _accepted(event)


class Events(ProjectView):
    """GET /events."""

    def get(self, request: Request, project_id: str) -> Response:
        """The events of a conversation or of a contact, newest first."""
        asked = EventFilter.read_query(request.query_params)
        conversation_id = asked.get("conversation_id")
        rows = matching(
            visibility.events(
                self.project_id,
                ProcessingMode.CONVERSATION,
                within=Within(Conversation, conversation_id) if conversation_id else None,
            ),
            conversation=conversation_id,
            conversation__contact=asked.get("contact_id"),
        )
        page, token = Page.of(request, largest=20).cut(rows, by=("-accept_time", "-id"))
        return Response({"events": [payloads.event(row) for row in page], "next_page_token": token})


class OneEvent(ProjectView):
    """`/events/{event_id}`."""

    def get(self, request: Request, project_id: str, event_id: str) -> Response:
        """Show it."""
        return Response(payloads.event(self.event(event_id)))

    def delete(self, request: Request, project_id: str, event_id: str) -> Response:
        """Delete it; what was sent is not called back."""
        deleting.delete_event(self.event(event_id), by_key=self.principal.key_id, now=clock.now())
        return Response()

    def event(self, event_id: str) -> ConversationEvent:
        """One of this project. Raises NotFound."""
        within = Within(ConversationEvent, event_id)
        return found(visibility.events(self.project_id, *ProcessingMode, within=within), event_id)


class InjectEvent(OfConversation):
    """`/conversations/{conversation_id}:inject-event`."""

    def post(self, request: Request, project_id: str, conversation_id: str) -> Response:
        """Store an event that happened elsewhere."""
        conversation = self.conversation(conversation_id)
        if conversation.app.processing_mode == ProcessingMode.DISPATCH:
            raise FailedPrecondition("The app dispatches its events: they have no conversation to stand in.")
        body = EventInjection.read(request.data)
        self._check_place(conversation, body)
        scoped = body.get("channel_identity")
        event = sending.inject(
            conversation,
            app_event=body["app_event"],
            accept_time=body["accept_time"],
            identity=Identity(scoped.channel, scoped.identity) if scoped else None,
            now=clock.now(),
        )
        return _accepted(event)

    def _check_place(self, conversation: Conversation, body: dict[str, Any]) -> None:
        """What the body says of the place agrees with the path."""
        for name, actual in (("conversation_id", conversation.id), ("contact_id", conversation.contact_id)):
            if body.get(name) and body[name] != actual:
                raise ValidationError({name: ["is not that of the conversation in the path"]})
        scoped = body.get("channel_identity")
        if scoped and scoped.app_id:
            self.app(scoped.app_id)


class QueryCapability(ProjectView):
    """POST /capability:query."""

    def post(self, request: Request, project_id: str) -> Response:
        """Ask the recipient's channels; they answer by webhook."""
        given: Any = request.data
        body = CapabilityRequest.read(given)
        app = self.app(body["app_id"])
        request_id = body.get("request_id") or ids.ulid()
        whom = recipient(app, body["recipient"])
        capability.query(app=app, recipient=whom, request_id=request_id, now=clock.now())
        return Response({"app_id": app.id, "recipient": given["recipient"], "request_id": request_id})


def _accepted(event: ConversationEvent) -> Response:
    return Response({"event_id": event.id, "accepted_time": timestamp(event.accept_time)})
