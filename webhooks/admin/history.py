"""History pages: what happened, each try to tell of it, and what was given up."""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from projects import ids
from projects.admin import cells
from projects.admin.scoped import Recorded, VisibleFilter
from webhooks.admin.wording import RESULT_TONES, result_word
from webhooks.models import Attempt, DeadLetter, Event


class OfAnApp(Recorded):
    """History rows that hang on an app."""

    project_path = "app__project"
    ordering = ["-pk"]
    search_fields = ["message_id"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By id alone: these tables are long, and no index knows their texts."""
        if search_term and not ids.is_ulid(search_term.strip().upper()):
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="Message")
    def message(self, row: Any) -> SafeString | str:
        return cells.code(row.message_id) if row.message_id else "–"

    @admin.display(description="Event")
    def event(self, row: Any) -> SafeString:
        return cells.code(row.event_id)


class OfADelivery(OfAnApp):
    """History rows of an event on its way to a receiver."""

    @admin.display(description="Receiver")
    def target(self, row: Any) -> str:
        if row.callback_url:
            return str(row.callback_url)
        return row.webhook.target if row.webhook else "a removed webhook"

    @admin.display(description="Delivery")
    def delivery(self, row: Any) -> SafeString | str:
        if not row.webhook:
            return "–"
        page = reverse("admin:webhooks_webhook_delivery", args=[row.webhook_id, row.event_id])
        return cells.link("All tries, the event, and replay", to=page)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With their webhooks, where these are still there."""
        return super().get_queryset(request).select_related("webhook", "app")


@admin.register(Event)
class EventAdmin(OfAnApp):
    """What happened, in the bytes that were signed and sent."""

    list_display = ["created_at", "trigger", "app", "message"]
    list_select_related = ["app"]
    list_filter = [("app", VisibleFilter), "trigger", "created_at"]
    search_help_text = "The id of an event or a message."
    id_lookups = ("pk", "message_id")
    fields = ["id", "trigger", "app", "message", "created_at", "payload"]
    readonly_fields = ["message", "payload"]

    @admin.display(description="Body")
    def payload(self, event: Event) -> SafeString:
        return cells.document(orjson.loads(bytes(event.body)) if event.body else None)


@admin.register(Attempt)
class AttemptAdmin(OfADelivery):
    """The delivery log: each try, and what the receiver said."""

    list_display = ["started_at", "target", "outcome", "status_code", "number", "duration_ms", "next_at"]
    list_filter = [("app", VisibleFilter), "result", "started_at"]
    id_lookups = ("event_id", "message_id", "webhook")
    search_help_text = "The id of an event, a message or a webhook."
    fields = ["started_at", "target", "event", "delivery", "message", "app", "number", "outcome", "status_code", "error",
              "detail", "duration_ms", "next_at", "response"]  # fmt: skip
    readonly_fields = ["target", "event", "delivery", "message", "outcome", "response"]

    @admin.display(description="Result")
    def outcome(self, attempt: Attempt) -> SafeString:
        return cells.state(result_word(attempt.result), RESULT_TONES[Attempt.Result(attempt.result)])

    @admin.display(description="Answer")
    def response(self, attempt: Attempt) -> SafeString:
        return cells.document(bytes(attempt.response_body).decode(errors="replace"))


@admin.register(DeadLetter)
class DeadLetterAdmin(OfADelivery):
    """Events that a webhook never took."""

    list_display = ["died_at", "target", "reason", "attempts", "event"]
    list_filter = [("app", VisibleFilter), "died_at"]
    search_help_text = "The id of an event, a message or a webhook."
    id_lookups = ("event_id", "message_id", "webhook")
    fields = ["died_at", "target", "app", "reason", "attempts", "event", "delivery", "message"]
    readonly_fields = ["target", "event", "delivery", "message"]
