"""The page of a conversation: it is read, and answered."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from conversations.models import Conversation
from portal.admin.answering import AnswerForm, may_be_answered
from portal.admin.transcript import transcript
from projects import clock
from projects.admin import cells
from projects.admin.scoped import Recorded, VisibleFilter, by_state
from projects.roles import Right, reach
from retention.deciding import ruling


@admin.register(Conversation)
class ConversationAdmin(Recorded):
    """The conversations of the caller's projects, the newest first."""

    list_display = ["with_whom", "app", "active_channel", "state", "newest_accept_time", "created_at"]
    list_select_related = ["app", "contact"]
    list_filter = [
        ("app", VisibleFilter),
        "active_channel",
        ("stopped_at", by_state("Active", "Stopped")),
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
        """The transcript, and below it the answer of who may write."""
        conversation = self.get_object(request, unquote(object_id))
        if conversation is None:
            return self.missing(request, object_id)
        form = self._answer_form(request, conversation)
        if request.method == "POST":
            if form is None:
                raise PermissionDenied
            if form.is_valid():
                return self._answer(request, form)
        policy = ruling.in_force(app=conversation.app, at=clock.now())
        context = self.admin_site.each_context(request) | {
            "title": str(conversation),
            "opts": self.opts,
            "original": conversation,
            "policy": policy,
            "answer": form,
            "transcript": transcript(conversation, policy, until=request.GET.get("until", "")),
        }
        return TemplateResponse(request, "admin/conversations/transcript.html", context)

    def _answer_form(self, request: HttpRequest, conversation: Conversation) -> AnswerForm | None:
        """For who may write, where somebody can be written to."""
        may_write = reach(request).may(Right.OPERATION, conversation.project_id)
        if not (may_write and may_be_answered(conversation)):
            return None
        return AnswerForm(conversation, request.POST if request.method == "POST" else None)

    def _answer(self, request: HttpRequest, form: AnswerForm) -> HttpResponse:
        message = form.send(now=clock.now())
        self.log_change(request, form.conversation, f"Answered: message {message.pk}.")
        messages.success(request, f"On its way by {message.channel}.")
        page = reverse("admin:conversations_conversation_change", args=[message.conversation_id])
        return HttpResponseRedirect(f"{page}#{message.pk}")
