"""The list of webhooks, and the page of each with all that may be done with it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from projects.admin import cells
from projects.admin.scoped import ProjectScoped, VisibleFilter, by_state
from webhooks import subscribing
from webhooks.admin import health_panel, log_pages, pages, replay_pages, sample_page, secret_pages, trial_page
from webhooks.admin.forms import WebhookForm
from webhooks.models import Webhook
from webhooks.tending import health


class WithHealth(ChangeList):
    """The list; each webhook knows how it is doing."""

    def get_results(self, request: HttpRequest) -> None:
        """One page of them, with one query more."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        states = health.states(self.result_list)
        for webhook in self.result_list:
            webhook.standing = states[webhook.id]


@admin.register(Webhook)
class WebhookAdmin(ProjectScoped):
    """All webhooks, and each with the parts that few need."""

    form = WebhookForm
    list_display = ["target", "standing", "app", "trigger_count", "created_at"]
    list_select_related = ["app"]
    list_filter = [("app", VisibleFilter), "target_type", ("disabled_at", by_state("On", "Switched off"))]
    search_fields = ["target"]
    id_lookups = ("pk", "app")
    change_form_template = "admin/webhooks/change.html"
    token_fields = ["client_id", "new_client_secret", "remove_client_secret", "token_endpoint", "token_scope",
                    "token_response_type", "token_request_type"]  # fmt: skip

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        basics = ["app", "target", "target_type", "triggers"]
        if not self.has_change_permission(request, obj):
            return [(None, {"fields": basics})]
        signing = ["new_secret", "remove_secret"]
        return [
            (None, {"fields": [*basics, "is_4xx_final"]}),
            ("Signature", {"fields": signing}),
            ("Token that the receiver asks for", {"fields": self.token_fields, "classes": ["collapse"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["app"] if obj else []

    def get_urls(self) -> list[URLPattern]:
        """The webhook's other pages."""
        views: dict[str, tuple[pages.View, str]] = {
            "enable/": (enable, "enable"),
            "log/": (log_pages.log, "log"),
            "log/<event_id>/": (log_pages.delivery, "delivery"),
            "log/<event_id>/replay/": (replay_pages.again, "again"),
            "replay/": (replay_pages.replay, "replay"),
            "replay/<replay_id>/": (replay_pages.progress, "progress"),
            "secret/": (secret_pages.secret, "secret"),
            "test/": (trial_page.trial, "test"),
            "verify/": (secret_pages.verify, "verify"),
        }
        own = [
            path(f"<object_id>/{place}", pages.opened(self, view), name=f"webhooks_webhook_{name}")
            for place, (view, name) in views.items()
        ]
        sample = path(
            "samples/<trigger>/",
            self.admin_site.admin_view(sample_page.sample),
            name="webhooks_webhook_sample",
        )
        return [sample, *own, *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return WithHealth

    @admin.display(description="State")
    def standing(self, webhook: Any) -> SafeString:
        word, tone = health_panel.standing(webhook, webhook.standing)
        return cells.state(word, tone, hint=webhook.disabled_reason)

    @admin.display(description="Triggers")
    def trigger_count(self, webhook: Webhook) -> int:
        return len(webhook.triggers)

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        """The page; a refusal of the verb that no field could foresee comes back as a message."""
        try:
            return super().changeform_view(request, *args, **options)
        except ValidationError as refusal:
            return pages.refused(request, refusal, to=request.get_full_path())

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> HttpResponse:
        if webhook := options.get("obj"):
            context |= pages.around(webhook) | {"tab": "change"} | health_panel.panel(webhook)
        return super().render_change_form(request, context, *args, **options)

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


def enable(request: HttpRequest, webhook: Webhook) -> HttpResponse:
    """Posted, the webhook is called again."""
    if request.method == "POST" and webhook.disabled_at:
        subscribing.enable(webhook)
        messages.success(request, "The webhook is called again.")
    return HttpResponseRedirect(pages.address(webhook, "change"))
