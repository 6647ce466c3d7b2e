"""The page of an app: its channels, webhooks and retention policy, which live in three rooms."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from portal import removing
from projects import clock
from projects.admin import cells
from projects.admin.ordering import CredentialInline
from projects.admin.scoped import VisibleFilter
from projects.admin.secrets import SecretField, SecretsForm, remove_box
from projects.models import App
from projects.roles import Right
from retention.admin import RetentionFields, RetentionPages, said
from retention.admin.panel import panel
from retention.models import RetentionPolicy
from retention.policies import DEFAULT_TTL_DAYS, DEFAULT_TYPE, Scope
from webhooks.admin import WebhookInline


class AppForm(RetentionFields, SecretsForm):
    """An app and its retention policy, judged together: both are saved, or neither."""

    secrets = ("callback_secret",)

    new_callback_secret = SecretField(
        label="Callback secret", help_text=App._meta.get_field("callback_secret").help_text
    )
    remove_callback_secret = remove_box()

    class Meta:
        model = App
        fields = ["display_name"]
        labels = {"conversation_metadata_report_view": "Conversation metadata in callbacks"}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not self.instance._state.adding:
            self.show_policy()

    def _post_clean(self) -> None:
        """Ask the model, then the flow."""
        super()._post_clean()
        if not self.instance._state.adding:
            self.try_policy()


@admin.register(App)
class AppAdmin(RetentionPages):
    """The apps of the caller's projects."""

    form = AppForm
    list_display = ["display_name", "project", "channels", "retention", "processing_mode", "created_at"]
    list_select_related = ["project"]
    list_filter = [("project", VisibleFilter), "processing_mode"]
    search_fields = ["display_name"]
    ordering = ["-id"]
    inlines = [CredentialInline, WebhookInline]
    change_form_template = "admin/projects/app/page.html"
    delete_confirmation_template = "admin/projects/app/delete.html"
    basics = ["display_name", "conversation_metadata_report_view"]
    behaviour = [
        "processing_mode",
        "smart_conversation",
        "retry_duration",
        "fallback_enabled",
        "fallback_waiting_time",
    ]
    callbacks = ["announces_expiry"]
    limits = ["inbound_rate", "outbound_rate", "webhook_rate"]

    def rows(self, request: HttpRequest, right: Right | None = None) -> QuerySet[App]:
        """Living apps: a deleted one only waits for the purge."""
        return super().rows(request, right).filter(deleted_at=None)

    def get_queryset(self, request: HttpRequest) -> QuerySet[App]:
        """With what the list shows of each."""
        versions = RetentionPolicy.objects.filter(scope=Scope.MESSAGES).newest_first()
        return self.rows(request).prefetch_related(
            "credentials", Prefetch("retention_policies", versions, to_attr="versions")
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """For the app's settings or for its policy: which of them, the fields say."""
        return self.may_change(request, obj) or self.may_set_policy(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: App | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": ["project", *self.basics]})]
        secrets = ["new_callback_secret", "remove_callback_secret"] if self.may_change(request, obj) else []
        return [
            (None, {"fields": [*self.basics, "project", "app_id"]}),
            ("Sending", {"fields": self.behaviour, "classes": ["collapse"]}),
            (
                "Callbacks and limits",
                {"fields": [*secrets, *self.callbacks, *self.limits], "classes": ["collapse"]},
            ),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: App | None = None) -> list[str]:
        if obj is None:
            return []
        fixed = ["project", "app_id"]
        if self.may_change(request, obj):
            return fixed
        return [*fixed, *self.basics, *self.behaviour, *self.callbacks, *self.limits]

    def get_inlines(self, request: HttpRequest, obj: App | None) -> list[Any]:
        """A new app is named first."""
        return list(self.inlines) if obj else []

    def get_form(
        self, request: HttpRequest, obj: App | None = None, change: bool = False, **options: Any
    ) -> Any:
        """The form knows who fills it in."""
        form: Any = super().get_form(request, obj, change, **options)
        form.author = request.user
        return form

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> HttpResponse:
        app = options.get("obj")
        if app:
            may_set_policy = self.may_set_policy(request, app)
            context |= {"retention": panel(app), "may_set_policy": may_set_policy}
            context |= self.seen(context["adminform"].form) if may_set_policy else {}
        return super().render_change_form(request, context, *args, **options)

    def save_model(self, request: HttpRequest, obj: App, form: AppForm, change: bool) -> None:
        """The app, then its policy, in the page's transaction."""
        super().save_model(request, obj, form, change)
        if change:
            self.tell(request, form.change_policy())

    def delete_model(self, request: HttpRequest, obj: App) -> None:
        removing.remove(obj, now=clock.now())

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[Any], list[Any]]:
        """What goes is told by the page; counting it would take longer than deleting it."""
        return [str(app) for app in objs], {}, set(), []

    @admin.display(description="App id")
    def app_id(self, app: App) -> SafeString:
        return cells.code(app.pk)

    @admin.display(description="Channels")
    def channels(self, app: App) -> str:
        return ", ".join(credential.channel for credential in app.credentials.all()) or "none yet"

    @admin.display(description="Retention")
    def retention(self, app: App) -> str:
        if not app.versions:  # type: ignore[attr-defined]  # prefetched by get_queryset
            return said(DEFAULT_TYPE, DEFAULT_TTL_DAYS[Scope.MESSAGES])
        return str(app.versions[0])  # type: ignore[attr-defined]  # prefetched as well
