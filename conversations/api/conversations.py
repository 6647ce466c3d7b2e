"""Conversations over the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Subquery
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from contacts.resolving import Identity
from conversations import conversing, deleting, payloads, visibility
from conversations.api.bodies import MetadataStrategy
from conversations.api.conversation_bodies import (
    ConversationBody,
    ConversationFilter,
    Injection,
    NewConversation,
    Order,
    RecentFilter,
)
from conversations.hearing import injecting
from conversations.hearing.injecting import Past
from conversations.models import Conversation, Message
from conversations.reaching import statuses
from conversations.visibility import Within
from projects import clock
from projects.models import App, ProcessingMode
from projects.requests import masks
from projects.requests.inputs import OneOf
from projects.requests.paging import Page
from projects.requests.scoping import ProjectView, found, matching
from projects.requests.wire import FailedPrecondition

# What a client may send along and nobody changes.
FIXED = ("id", "app_id", "contact_id", "last_received")


class Conversations(ProjectView):
    """`/conversations`."""

    def get(self, request: Request, project_id: str) -> Response:
        """Conversations of an app, of a contact, or of both, newest first."""
        wanted = ConversationFilter.read_query(request.query_params)
        app_id = wanted.get("app_id")
        rows = matching(
            visibility.conversations(self.project_id, within=Within(App, app_id) if app_id else None),
            app=app_id,
            contact=wanted.get("contact_id"),
        )
        if wanted["only_active"]:
            rows = rows.filter(stopped_at=None)
        if wanted.get("active_channel"):
            rows = rows.filter(active_channel=wanted["active_channel"])
        page, token = Page.of(request, largest=20).cut(rows, by=("-id",))
        shown = [payloads.conversation(row) for row in page]
        return Response({"conversations": shown, "next_page_token": token, "total_size": rows.count()})

    def post(self, request: Request, project_id: str) -> Response:
        """Begin one that holds no message yet."""
        named = NewConversation.read(request.data)
        fields = ConversationBody.read(request.data)
        app = self.app(named["app_id"])
        contact = found(Contact.objects.filter(project=self.project_id), named["contact_id"])
        conversation = conversing.create(app=app, contact=contact, fields=fields, now=clock.now())
        return Response(payloads.conversation(conversation))


class RecentConversations(ProjectView):
    """`/conversations:recent`."""

    def get(self, request: Request, project_id: str) -> Response:
        """An app's conversations by their last message, each with it."""
        wanted = RecentFilter.read_query(request.query_params)
        app = self.app(wanted["app_id"])
        rows = visibility.conversations_with_last(self.project_id, within=Within(App, app.id)).filter(app=app)
        if wanted["only_active"]:
            rows = rows.active()
        by = ("-expiry_anchor", "-id") if wanted["order"] == Order.DESC else ("expiry_anchor", "id")
        page, token = Page.of(request, largest=50).cut(rows, by=by)
        return Response(
            {"conversations": _with_last(page), "next_page_token": token, "total_size": rows.count()}
        )


class OfConversation(ProjectView):
    """Below one conversation."""

    def conversation(self, conversation_id: str, *, for_change: bool = False) -> Conversation:
        """One of this project, held until the end of the transaction where it is to change. Raises NotFound."""
        served = visibility.conversations(self.project_id, within=Within(Conversation, conversation_id))
        rows = served.select_related("app")
        return found(rows.select_for_update(of=("self",)) if for_change else rows, conversation_id)


class OneConversation(OfConversation):
    """`/conversations/{conversation_id}`."""

    def get(self, request: Request, project_id: str, conversation_id: str) -> Response:
        """The conversation."""
        return Response(payloads.conversation(self.conversation(conversation_id)))

    @transaction.atomic
    def patch(self, request: Request, project_id: str, conversation_id: str) -> Response:
        """Change the fields that are sent, or that the mask names."""
        conversation = self.conversation(conversation_id, for_change=True)
        current = payloads.conversation(conversation)
        changes = masks.changes(request, current=current, empty=ConversationBody.empty(), fixed=FIXED)
        fields = ConversationBody.read_named(changes)
        if _merges(request) and "metadata_json" in fields:
            patched = conversing.merged(conversation.metadata_json, changes["metadata_json"])
            fields |= ConversationBody.read_named({"metadata_json": patched})
        conversing.change(conversation, fields=fields, now=clock.now())
        return Response(payloads.conversation(conversation))

    def delete(self, request: Request, project_id: str, conversation_id: str) -> Response:
        """Delete it, and its messages with it."""
        conversation = self.conversation(conversation_id)
        deleting.delete_conversation(conversation, by_key=self.principal.key_id, now=clock.now())
        return Response()


class StopConversation(OfConversation):
    """`/conversations/{conversation_id}:stop`."""

    @transaction.atomic
    def post(self, request: Request, project_id: str, conversation_id: str) -> Response:
        """End it: the next message starts a new one."""
        conversing.stop(self.conversation(conversation_id, for_change=True), now=clock.now())
        return Response()


class InjectMessage(OfConversation):
    """`/conversations/{conversation_id}:inject-message`."""

    def post(self, request: Request, project_id: str, conversation_id: str) -> Response:
        """Store a message that was exchanged elsewhere."""
        conversation = self.conversation(conversation_id)
        if conversation.app.processing_mode == ProcessingMode.DISPATCH:
            raise FailedPrecondition(
                "The app dispatches its messages: they have no conversation to stand in."
            )
        body = Injection.read(request.data)
        self._check_place(conversation, body)
        scoped = body["channel_identity"]
        past = Past(
            direction=body["direction"],
            content=body["content"],
            accept_time=body["accept_time"],
            identity=Identity(scoped.channel, scoped.identity),
            sender_id=body["sender_id"],
            metadata=body["metadata"],
        )
        injecting.inject(conversation, past, now=clock.now())
        return Response()

    def _check_place(self, conversation: Conversation, body: dict[str, Any]) -> None:
        """What the body says of the place agrees with the path; a foreign id does not exist."""
        contact = found(Contact.objects.filter(project=self.project_id), body["contact_id"])
        if contact.id != conversation.contact_id:
            raise ValidationError({"contact_id": ["is not the contact of this conversation"]})
        if (body.get("conversation_id") or conversation.id) != conversation.id:
            raise ValidationError({"conversation_id": ["is not the conversation of the path"]})
        if app_id := body["channel_identity"].app_id:
            self.app(app_id)


def _merges(request: Request) -> bool:
    """Whether the client patches the metadata, and does not replace it."""
    asked = request.query_params.get("metadata_update_strategy") or MetadataStrategy.REPLACE
    try:
        return bool(OneOf(MetadataStrategy).run_validation(asked) == MetadataStrategy.MERGE_PATCH)
    except ValidationError as error:
        raise ValidationError({"metadata_update_strategy": error.detail}) from error


def _with_last(conversations: Sequence[Conversation]) -> list[dict[str, Any]]:
    """Each with its last message; two queries, however many they are."""
    newest = (
        Message.objects.filter(conversation=OuterRef("pk")).order_by("-accept_time", "-id").values("pk")[:1]
    )
    rows = Conversation.objects.filter(pk__in=[row.pk for row in conversations])
    last = dict(rows.values_list("pk", Subquery(newest)))
    messages = Message.objects.select_related("conversation").in_bulk([pk for pk in last.values() if pk])
    return [
        {
            "conversation": payloads.conversation(row),
            "last_message": payloads.message(message, contact_id=statuses.contact_of(message))
            if message
            else None,
        }
        for row in conversations
        for message in [messages.get(last.get(row.pk) or "")]
    ]
