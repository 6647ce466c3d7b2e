"""The page of a conversation. It is read here; talking is the API's."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from conversations.models import Conversation
from portal.admin.transcript import transcript
from projects import clock
from projects.admin import cells
from projects.admin.scoped import Recorded, VisibleFilter
from retention.deciding import ruling


@admin.register(Conversation)
class ConversationAdmin(Recorded):
    """The conversations of the caller's projects, the newest first."""

    list_display = ["with_whom", "app", "active_channel", "state", "newest_accept_time", "created_at"]
    list_select_related = ["app", "contact"]
    list_filter = [
        ("app", VisibleFilter),
        "active_channel",
        ("stopped_at", admin.EmptyFieldListFilter),
        "created_at",
    ]
    search_fields = ["contact__display_name__istartswith", "contact__identities__identity__exact"]
    search_help_text = (
        "The id of a conversation or a contact; the start of a contact's name, or a whole number."
    )
    id_lookups = ("pk", "contact")
    ordering = ["-id"]

    @admin.display(description="Contact", ordering="contact__display_name")
    def with_whom(self, conversation: Conversation) -> str:
        return str(conversation.contact or "a deleted contact")

    @admin.display(description="State")
    def state(self, conversation: Conversation) -> SafeString:
        if conversation.is_active:
            return cells.state("Active", "good")
        return cells.state("Stopped", "quiet")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The transcript."""
        conversation = self.get_object(request, unquote(object_id))
        if conversation is None:
            return self.missing(request, object_id)
        if not self.has_view_permission(request, conversation) or request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        policy = ruling.in_force(app=conversation.app, at=clock.now())
        context = self.admin_site.each_context(request) | {
            "title": str(conversation),
            "opts": self.opts,
            "original": conversation,
            "policy": policy,
            "transcript": transcript(conversation, policy, until=request.GET.get("until", "")),
        }
        return TemplateResponse(request, "admin/conversations/transcript.html", context)
