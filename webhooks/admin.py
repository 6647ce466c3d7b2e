"""The post office's pages: webhooks, and the log of what was sent to them."""

from __future__ import annotations

from typing import Any

import orjson
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString

from projects import ids
from projects.admin import cells
from projects.admin.scoped import ProjectScoped, Recorded, VisibleChoices, VisibleFilter
from projects.admin.secrets import SecretField, SecretsForm, remove_box
from projects.roles import Right, reach
from webhooks import subscribing
from webhooks.models import Attempt, DeadLetter, Event, Webhook
from webhooks.triggers import MEANINGS, Trigger

GROUPS = ("Message", "Event", "Conversation", "Contact", "Opt")


def trigger_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every trigger with its meaning, by what it tells about."""
    groups: dict[str, list[tuple[str, str]]] = {
        name: [] for name in [*(f"{name}s" for name in GROUPS), "Others"]
    }
    for trigger in Trigger:
        if MEANINGS[trigger].startswith("Accepted for compatibility"):
            group = "Others"
        else:
            group = next((f"{name}s" for name in GROUPS if trigger.startswith(f"{name.upper()}_")), "Others")
        groups[group].append((trigger.value, f"{trigger.value}: {MEANINGS[trigger]}"))
    return [(name.replace("Opts", "Consents"), members) for name, members in groups.items()]


class WebhookForm(SecretsForm):
    """A webhook as a person fills it in."""

    secrets = ("secret", "client_secret")

    triggers = forms.MultipleChoiceField(
        choices=trigger_choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="What it listens to.",
    )
    new_secret = SecretField(
        label="Secret", help_text="It signs the callbacks; without one they are not signed."
    )
    remove_secret = remove_box()
    new_client_secret = SecretField(label="Client secret")
    remove_client_secret = remove_box()

    class Meta:
        model = Webhook
        fields = ["target", "target_type", "triggers"]
        widgets = {"target": forms.URLInput(attrs={"class": "vURLField"})}
        help_texts = {"target": "The URL that gets the events by POST."}

    def wishes(self) -> dict[str, Any]:
        """What `webhooks.subscribing` is asked for."""
        asked = {name.removeprefix("new_") for name in self.fields}
        return {
            name: getattr(self.instance, name) for name in subscribing.Wishes.__annotations__ if name in asked
        }


class WebhookFormSet(forms.BaseInlineFormSet):
    """Webhooks of one app, saved by the verbs that the API uses."""

    def save_new(self, form: WebhookForm, commit: bool = True) -> Webhook:  # type: ignore[override]  # our form alone
        return subscribing.create(app=self.instance, **form.wishes())

    def save_existing(self, form: WebhookForm, obj: Webhook, commit: bool = True) -> Webhook:  # type: ignore[override]  # our form alone
        stored = Webhook.objects.get(pk=obj.pk)  # `obj` already has the new values
        subscribing.change(stored, **form.wishes())
        return stored

    def delete_existing(self, obj: Webhook, commit: bool = True) -> None:
        subscribing.remove(obj)


class WebhookInline(VisibleChoices, admin.StackedInline):
    """An app's webhooks on the app's page."""

    model = Webhook
    form = WebhookForm
    formset = WebhookFormSet
    template = "admin/edit_inline/cards.html"
    fields = ["target", "target_type", "triggers", "new_secret", "remove_secret"]
    extra = 1
    max_num = settings.MAX_WEBHOOKS_PER_APP
    show_change_link = True
    lead = "Each is told of the events it listens to, again and again until it answers 2xx or the retry window ends."

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return reach(request).may(Right.OPERATION, obj.project_id if obj else None)

    has_change_permission = has_delete_permission = has_add_permission

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


@admin.register(Webhook)
class WebhookAdmin(ProjectScoped):
    """All webhooks, and each with the parts that few need."""

    form = WebhookForm
    list_display = ["target", "app", "target_type", "state", "trigger_count", "created_at"]
    list_select_related = ["app"]
    list_filter = [("app", VisibleFilter), "target_type", ("disabled_at", admin.EmptyFieldListFilter)]
    search_fields = ["target"]
    id_lookups = ("pk", "app")
    token_fields = ["client_id", "new_client_secret", "remove_client_secret", "token_endpoint", "token_scope",
                    "token_response_type", "token_request_type"]  # fmt: skip

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if not self.has_change_permission(request, obj):
            return [(None, {"fields": ["app", "target", "target_type", "triggers", "state"]})]
        signing = ["new_secret", "remove_secret"]
        return [
            (None, {"fields": ["app", "target", "target_type", "triggers", "state"]}),
            ("Signature", {"fields": signing}),
            ("Token that the receiver asks for", {"fields": self.token_fields, "classes": ["collapse"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["app", "state"] if obj else ["state"]

    @admin.display(description="State")
    def state(self, webhook: Webhook) -> SafeString:
        if webhook.disabled_at:
            return cells.state("Switched off", "bad", hint=webhook.disabled_reason)
        if webhook.target_type == "DISMISS":
            return cells.state("Dismissing", "quiet")
        return cells.state("Listening", "good")

    @admin.display(description="Triggers")
    def trigger_count(self, webhook: Webhook) -> int:
        return len(webhook.triggers)

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        """The page; a refusal of the verb that no field could foresee comes back as a message."""
        try:
            return super().changeform_view(request, *args, **options)
        except ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Webhook, form: WebhookForm, change: bool) -> None:
        if change:
            subscribing.change(Webhook.objects.get(pk=obj.pk), **form.wishes())
            return
        obj.pk = subscribing.create(app=obj.app, **form.wishes()).pk

    def delete_model(self, request: HttpRequest, obj: Webhook) -> None:
        subscribing.remove(obj)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[Any], list[Any]]:
        """The webhook alone: its log stays until it is old."""
        return [str(webhook) for webhook in objs], {}, set(), []


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
class AttemptAdmin(OfAnApp):
    """The delivery log: each try, and what the receiver said."""

    list_display = ["started_at", "target", "outcome", "status_code", "number", "duration_ms", "next_at"]
    list_filter = [("app", VisibleFilter), "result", "started_at"]
    id_lookups = ("event_id", "message_id", "webhook")
    search_help_text = "The id of an event, a message or a webhook."
    fields = ["started_at", "target", "event", "message", "app", "number", "outcome", "status_code", "error", "detail",
              "duration_ms", "next_at", "response"]  # fmt: skip
    readonly_fields = ["target", "event", "message", "outcome", "response"]
    tones = {"DELIVERED": "good", "RETRYING": "busy", "GIVEN_UP": "bad", "DISMISSED": "quiet"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attempt]:
        """With their webhooks, where these are still there."""
        return super().get_queryset(request).select_related("webhook", "app")

    @admin.display(description="Receiver")
    def target(self, attempt: Attempt) -> str:
        if attempt.callback_url:
            return attempt.callback_url
        return attempt.webhook.target if attempt.webhook else "a removed webhook"

    @admin.display(description="Result")
    def outcome(self, attempt: Attempt) -> SafeString:
        return cells.state(attempt.get_result_display(), self.tones[attempt.result])

    @admin.display(description="Answer")
    def response(self, attempt: Attempt) -> SafeString:
        return cells.document(bytes(attempt.response_body).decode(errors="replace"))


@admin.register(DeadLetter)
class DeadLetterAdmin(OfAnApp):
    """Events that a webhook never took."""

    list_display = ["died_at", "app", "reason", "attempts", "event"]
    list_select_related = ["app"]
    list_filter = [("app", VisibleFilter), "died_at"]
    search_help_text = "The id of an event, a message or a webhook."
    id_lookups = ("event_id", "message_id", "webhook")
    fields = ["died_at", "app", "reason", "attempts", "event", "message"]
    readonly_fields = ["event", "message"]
