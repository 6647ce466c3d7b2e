"""Messages and conversations over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from conversations import payloads, sending, statuses
from conversations.models import Conversation, Direction, Message
from conversations.sending import Draft, Recipient
from conversations.serializers import ConversationFilter, MessageFilter, SendRequest, Source, View, draft
from projects import clock
from projects.models import App, ProcessingMode
from projects.paging import Page
from projects.scoping import ProjectView, found, matching
from projects.wire import timestamp


class SendMessage(ProjectView):
    """POST /messages:send."""

    def post(self, request: Request, project_id: str) -> Response:
        """Accept a message: checked, stored, routed and queued."""
        body = SendRequest.read(request.data)
        app, wanted = self.app(body["app_id"]), draft(body)
        recipient = self._recipient(app, body["recipient"], wanted)
        message = sending.send(app=app, recipient=recipient, draft=wanted, now=clock.now())
        return Response({"message_id": message.id, "accepted_time": timestamp(message.accept_time)})

    def _recipient(self, app: App, given: dict[str, Any], draft: Draft) -> Recipient:
        if not given.get("contact_id"):
            return Recipient(identities=given["identified_by"]["channel_identities"])
        if draft.is_dispatched or app.processing_mode == ProcessingMode.DISPATCH:
            raise ValidationError({"recipient": ["must be identified_by when the message is dispatched"]})
        contacts = Contact.objects.filter(project=self.project_id).prefetch_related("identities")
        return Recipient(contact=found(contacts, given["contact_id"]))


class Messages(ProjectView):
    """GET /messages."""

    def get(self, request: Request, project_id: str) -> Response:
        """The project's messages, newest first."""
        asked = MessageFilter.read_query(request.query_params)
        messages = _filtered(visible(self.project_id), asked)
        rows, token = Page.of(request, largest=1000).cut(messages, by=("-accept_time", "-id"))
        shown = [payloads.message(row, contact_id=statuses.contact_of(row)) for row in rows]
        if asked["view"] == View.WITHOUT_METADATA:
            for message in shown:
                message["metadata"] = ""
        return Response({"messages": shown, "next_page_token": token})


class OneMessage(ProjectView):
    """GET /messages/{message_id}."""

    def get(self, request: Request, project_id: str, message_id: str) -> Response:
        """The stored message."""
        asked = MessageFilter.read_query(request.query_params)
        message = found(_of_source(visible(self.project_id), asked["messages_source"]), message_id)
        return Response(payloads.message(message, contact_id=statuses.contact_of(message)))


class Conversations(ProjectView):
    """GET /conversations."""

    def get(self, request: Request, project_id: str) -> Response:
        """Conversations of an app, of a contact, or of both, newest first."""
        wanted = ConversationFilter.read_query(request.query_params)
        rows = matching(
            conversations(self.project_id), app=wanted.get("app_id"), contact=wanted.get("contact_id")
        )
        if wanted["only_active"]:
            rows = rows.filter(stopped_at=None)
        if wanted.get("active_channel"):
            rows = rows.filter(active_channel=wanted["active_channel"])
        page, token = Page.of(request, largest=20).cut(rows, by=("-id",))
        shown = [payloads.conversation(row) for row in page]
        return Response({"conversations": shown, "next_page_token": token, "total_size": rows.count()})


class OneConversation(ProjectView):
    """GET /conversations/{conversation_id}."""

    def get(self, request: Request, project_id: str, conversation_id: str) -> Response:
        """The conversation."""
        return Response(payloads.conversation(found(conversations(self.project_id), conversation_id)))


def conversations(project_id: UUID) -> QuerySet[Conversation]:
    """The project's, those of deleted apps excepted."""
    return Conversation.objects.filter(project=project_id, app__deleted_at=None)


def visible(project_id: UUID) -> QuerySet[Message]:
    """The project's messages, those of deleted apps excepted."""
    return Message.objects.filter(project=project_id, app__deleted_at=None).select_related("conversation")


def _filtered(messages: QuerySet[Message], asked: dict[str, Any]) -> QuerySet[Message]:
    messages = _of_source(messages, asked["messages_source"])
    messages = matching(
        messages,
        conversation=asked.get("conversation_id"),
        conversation__contact=asked.get("contact_id"),
        app=asked.get("app_id"),
    )
    start: datetime | None = asked.get("start_time")
    end: datetime | None = asked.get("end_time")
    wanted = {
        "accept_time__gte": start,
        "accept_time__lt": end,
        "channel": asked.get("channel"),
        "direction": Direction.TO_APP if asked["only_recipient_originated"] else asked.get("direction"),
    }
    messages = messages.filter(**{lookup: value for lookup, value in wanted.items() if value})
    if identity := asked.get("channel_identity", "").strip().lstrip("+").strip():
        messages = messages.filter(identity=identity)
    return messages


def _of_source(messages: QuerySet[Message], source: Source) -> QuerySet[Message]:
    is_dispatch = source == Source.DISPATCH_SOURCE
    return messages.filter(
        processing_mode=ProcessingMode.DISPATCH if is_dispatch else ProcessingMode.CONVERSATION
    )
