"""Pages of an app that are about its retention: the preview, the history, taking a change back, dispatched messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import localize

from projects import clock
from projects.admin.scoped import ProjectScoped
from projects.models import App
from projects.roles import Right, reach
from retention.admin import seeing
from retention.admin.fields import RetentionFields
from retention.admin.panel import exported, history, panel
from retention.deciding import changing
from retention.models import ChangeRequest, RetentionPolicy
from retention.policies import DEFAULT_TTL_DAYS, TTL_BOUNDS, Scope

View = Callable[[HttpRequest, App], HttpResponse]


class PolicyFields(RetentionFields):
    """The policy of one app, apart from its other settings."""

    def __init__(self, *args: Any, app: App, author: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.instance, self.author = app, author
        self.show_policy()


class DispatchFields(PolicyFields):
    """The policy of messages that are dispatched alone: they can only expire by their own age."""

    scope: ClassVar[Scope] = Scope.DISPATCH

    retention_type = None  # type: ignore[assignment]  # how Django takes a field away
    ttl_days = forms.IntegerField(
        initial=DEFAULT_TTL_DAYS[Scope.DISPATCH], required=False, label="TTL days",
        widget=forms.NumberInput(attrs={"min": TTL_BOUNDS[Scope.DISPATCH][0], "max": TTL_BOUNDS[Scope.DISPATCH][1]}),
        help_text="0 to 7, by default 0: kept for its receipt alone, and not shown by the API.",
    )  # fmt: skip


class RetentionPages(ProjectScoped):
    """What the page of an app adds for its retention."""

    def may_set_policy(self, request: HttpRequest, app: App | None = None) -> bool:
        """Whether the caller may change the app's retention."""
        return reach(request).may(Right.RETENTION, app.project_id if app else None)

    def get_urls(self) -> list[URLPattern]:
        """Each under the app's own address."""
        views: dict[str, View] = {
            "retention-preview": self.preview_view,
            "retention-history": self.policy_history_view,
            "retention-cancel": self.cancel_view,
            "retention-dispatch": self.dispatch_view,
        }
        return [
            *(
                path(
                    f"<path:object_id>/{name}/",
                    self.admin_site.admin_view(self._of_app(view)),
                    name=f"projects_app_{name.replace('-', '_')}",
                )
                for name, view in views.items()
            ),
            *super().get_urls(),
        ]

    def preview_view(self, request: HttpRequest, app: App) -> HttpResponse:
        """What a policy would delete, as a piece of the page; whoever sees the app may ask."""
        fields = DispatchFields if _scope(request) == Scope.DISPATCH else PolicyFields
        form = fields(request.GET, app=app, author=request.user)
        return TemplateResponse(request, "admin/retention/preview.html", {"form": form} | self.seen(form))

    def policy_history_view(self, request: HttpRequest, app: App) -> HttpResponse:
        """Every version, to read, print or export."""
        scope = _scope(request)
        steps = history(app, scope)
        if request.GET.get("format") == "json":
            versions = {"app_id": app.pk, "scope": scope, "versions": [exported(step) for step in steps]}
            answer = JsonResponse(versions, json_dumps_params={"indent": 2, "ensure_ascii": False})
            answer["Content-Disposition"] = f'attachment; filename="retention-{app.pk}-{scope.lower()}.json"'
            return answer
        context = {"steps": steps, "scope": scope, "counted_at": clock.now()}
        return self._page(request, app, "history", f"Retention of {app}", **context)

    def cancel_view(self, request: HttpRequest, app: App) -> HttpResponse:
        """Asks, then sets the policy in force again."""
        scope = _scope(request)
        if not self.may_set_policy(request, app):
            raise PermissionDenied
        if request.method == "POST":
            try:
                version = changing.undo(app=app, scope=scope, author=request.user, now=clock.now())
            except changing.NothingWaits as refusal:
                messages.error(request, str(refusal))
            except ValidationError as refusal:
                messages.error(request, " ".join(refusal.messages))
            else:
                messages.success(request, f"The change is cancelled: {version}. Nothing was deleted by it.")
            return HttpResponseRedirect(_place(app, scope))
        return self._page(
            request,
            app,
            "cancel",
            "Cancel the change?",
            retention=panel(app, scope),
            place=_place(app, scope),
        )

    def dispatch_view(self, request: HttpRequest, app: App) -> HttpResponse:
        """How long dispatched messages are kept."""
        may_set_policy = self.may_set_policy(request, app)
        if request.method == "POST" and not may_set_policy:
            raise PermissionDenied
        typed = request.POST if request.method == "POST" else None
        form = DispatchFields(typed, app=app, author=request.user)
        if request.method == "POST":
            form.try_policy()
            if form.is_valid():
                self.tell(request, form.change_policy())
                return HttpResponseRedirect(_place(app, Scope.DISPATCH))
        context = {"retention": panel(app, Scope.DISPATCH), "form": form, "may_set_policy": may_set_policy}
        return self._page(
            request, app, "dispatch", f"Dispatched messages of {app}", **context, **self.seen(form)
        )

    def seen(self, form: RetentionFields) -> dict[str, Any]:
        """The preview of what was typed, where something was."""
        policy = form.proposed()
        return {"seen": seeing.context(policy, form.instance, now=clock.now())} if policy else {}

    def tell(self, request: HttpRequest, made: RetentionPolicy | ChangeRequest | None) -> None:
        """What became of a change of policy."""
        if isinstance(made, ChangeRequest):
            messages.warning(
                request,
                "The project demands four eyes: the policy changes when a second person approves it within 24 hours. "
                "They find it in the inbox.",
            )
        elif made and made.newly_due:
            messages.warning(
                request,
                f"The policy takes effect on {localize(made.effective_at)}. By then {made.newly_due:,} messages "
                "are due and will be deleted. Until then the change can be cancelled.",
            )

    def _of_app(self, view: View) -> Callable[[HttpRequest, str], HttpResponse]:
        """A view of one app that the caller sees."""

        def seen(request: HttpRequest, object_id: str) -> HttpResponse:
            app = self.get_object(request, object_id)
            if app is None:
                return self.missing(request, object_id)
            if not self.has_view_permission(request, app):
                raise PermissionDenied
            return view(request, app)

        return seen

    def _page(self, request: HttpRequest, app: App, name: str, title: str, **context: Any) -> HttpResponse:
        common = self.admin_site.each_context(request) | {"title": title, "opts": self.opts, "app": app}
        return TemplateResponse(request, f"admin/retention/{name}.html", common | context)


def _scope(request: HttpRequest) -> Scope:
    asked = request.GET.get("scope")
    return Scope.DISPATCH if asked == Scope.DISPATCH else Scope.MESSAGES


def _place(app: App, scope: Scope) -> str:
    if scope == Scope.DISPATCH:
        return reverse("admin:projects_app_retention_dispatch", args=[app.pk])
    return reverse("admin:projects_app_change", args=[app.pk]) + "#retention"
