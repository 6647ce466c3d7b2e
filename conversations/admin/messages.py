"""The list of messages, and one of them with all that is known of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from conversations.admin.wording import STATUS_TONES, gist, status_word
from conversations.models import Candidate, Message, Receipt, Status
from projects.admin import cells
from projects.admin.scoped import Recorded, VisibleFilter


@admin.register(Message)
class MessageAdmin(Recorded):
    """Every message of the caller's projects, the newest first."""

    list_display = ["accept_time", "excerpt", "direction", "channel", "state", "app"]
    list_select_related = ["app"]
    list_filter = [("app", VisibleFilter), "direction", "status", "channel", "accept_time"]
    search_fields = ["conversation__contact__identities__identity__exact"]
    search_help_text = "The id of a message, a conversation or a contact; or a contact's whole number."
    id_lookups = ("pk", "conversation", "conversation__contact")
    ordering = ["-id"]  # ULIDs are time-ordered, and the primary key is an index
    fields = ["id", "app", "talk", "direction", "state", "accept_time", "channel", "identity", "document", "metadata",
              "correlation_id", "processing_mode", "injected", "why", "route", "receipts"]  # fmt: skip
    readonly_fields = ["talk", "state", "document", "why", "route", "receipts"]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without the wide columns that no list shows."""
        return super().get_queryset(request).defer("channel_properties", "callback_url")

    @admin.display(description="Text")
    def excerpt(self, message: Message) -> str:
        return gist(message.content)[:80]

    @admin.display(description="Status", ordering="status")
    def state(self, message: Message) -> SafeString | str:
        if not message.status:
            return cells.state("Received", "quiet")
        return cells.state(status_word(message.status), STATUS_TONES[Status(message.status)])

    @admin.display(description="Conversation")
    def talk(self, message: Message) -> SafeString | str:
        if message.conversation_id is None:
            return "None: it was dispatched alone"
        to = reverse("admin:conversations_conversation_change", args=[message.conversation_id])
        return cells.link(message.conversation, to=f"{to}?until={message.pk}#{message.pk}")

    @admin.display(description="Content")
    def document(self, message: Message) -> SafeString:
        return cells.document(message.content)

    @admin.display(description="Reason")
    def why(self, message: Message) -> SafeString:
        return cells.document(message.reason)

    @admin.display(description="Route")
    def route(self, message: Message) -> str:
        return (
            "; ".join(
                str(one) for one in Candidate.objects.filter(message_id=message.pk).order_by("position")
            )
            or "–"
        )

    @admin.display(description="Receipts")
    def receipts(self, message: Message) -> str:
        found = Receipt.objects.filter(message_id=message.pk).order_by("id")
        return "; ".join(f"{one.status} {one.occurred_at:%d %b %H:%M:%S}" for one in found) or "–"
