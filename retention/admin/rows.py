"""The lists of policies, of what justifies them and of what is owed; and the page that settles a debt."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from projects import authors, clock
from projects.admin import cells
from projects.admin.scoped import Recorded, VisibleFilter
from projects.roles import Right, reach
from retention.admin.fields import GroundFields
from retention.admin.panel import said
from retention.deciding import grounds
from retention.deciding.grounds import Giver, Ground, NothingOwed
from retention.models import Justification, OwedItem, RetentionPolicy, Via


class OfAnApp(Recorded):
    """Rows that say something of an app's retention."""

    project_path = "app__project"
    list_select_related = ["app"]

    @admin.display(description="Policy")
    def policy(self, row: Any) -> str:
        return capfirst(said(row.retention_type, row.ttl_days))

    @admin.display(description="App")
    def app_page(self, row: Any) -> SafeString:
        return cells.link(row.app, to=reverse("admin:projects_app_change", args=[row.app_id]) + "#retention")

    def may_set_policy(self, request: HttpRequest, row: Any) -> bool:
        """Whether the caller may do something about the app's retention."""
        return reach(request).may(Right.RETENTION, row.app.project_id)


@admin.register(RetentionPolicy)
class RetentionPolicyAdmin(OfAnApp):
    """Every version of every app's policy. A new one is made on the app's page."""

    list_display = ["app", "number", "scope", "policy", "via", "author", "effective_at"]
    list_select_related = ["app", "author"]
    list_filter = [("app", VisibleFilter), "retention_type", "via", "scope"]
    search_fields = ["app__display_name"]
    id_lookups = ("pk", "app", "justification", "owed")
    ordering = ["-id"]
    fields = ["app_page", "scope", "number", "policy", "via", "set_by", "created_at", "effective_at",
              "newly_due", "justification", "owed"]  # fmt: skip
    readonly_fields = ["app_page", "policy", "set_by"]

    @admin.display(description="Set by")
    def set_by(self, version: RetentionPolicy) -> str:
        return authors.named(version.author, version.author_key)


@admin.register(Justification)
class JustificationAdmin(OfAnApp):
    """The legal grounds that were given."""

    list_display = [
        "app",
        "policy",
        "category",
        "reference",
        "given_by",
        "given_via",
        "created_at",
        "review_on",
    ]
    list_select_related = ["app", "given_by"]
    list_filter = [("app", VisibleFilter), "category", "given_via"]
    search_fields = ["app__display_name", "reference", "text"]
    id_lookups = ("pk", "app")
    ordering = ["-id"]
    fields = ["app_page", "scope", "policy", "category", "reference", "text", "review_on", "giver", "given_via",
              "created_at"]  # fmt: skip
    readonly_fields = ["app_page", "policy", "giver"]

    @admin.display(description="Given by")
    def giver(self, ground: Justification) -> str:
        return authors.named(ground.given_by, ground.given_by_key)


@admin.register(OwedItem)
class OwedItemAdmin(OfAnApp):
    """Justifications owed: a policy was changed by API, and nobody has said why yet."""

    list_display = [
        "what",
        "app_page",
        "policy",
        "state_badge",
        "opened_at",
        "due_at",
        "account_manager_email",
    ]
    list_filter = [("app", VisibleFilter), "state"]
    search_fields = ["app__display_name"]
    id_lookups = ("pk", "app")
    ordering = ["-id"]
    fields = ["what", "app_page", "scope", "policy", "state_badge", "opened_at", "due_at", "closed_at", "justification",
              "account_manager_email", "reminders_sent", "last_reminder_at"]  # fmt: skip
    readonly_fields = ["what", "app_page", "policy", "state_badge"]
    change_form_template = "admin/retention/owed.html"
    tones = {OwedItem.State.OPEN: "bad", OwedItem.State.SUPPLIED: "good", OwedItem.State.SUPERSEDED: "quiet"}

    @admin.display(description="Item")
    def what(self, item: OwedItem) -> str:
        return "Justification owed"

    @admin.display(description="State", ordering="state")
    def state_badge(self, item: OwedItem) -> SafeString:
        return cells.state(item.get_state_display(), self.tones[OwedItem.State(item.state)])

    def get_urls(self) -> list[URLPattern]:
        """One more: the page that settles the debt."""
        settle = path(
            "<path:object_id>/settle/",
            self.admin_site.admin_view(self.settle_view),
            name="retention_oweditem_settle",
        )
        return [settle, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> HttpResponse:
        """The item; who may settle it is led there."""
        context |= {"may_settle": self.may_set_policy(request, options["obj"])}
        return super().render_change_form(request, context, *args, **options)

    def settle_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks for the ground that is owed, and takes it."""
        item = self.get_object(request, object_id)
        if item is None:
            return self.missing(request, object_id)
        if not self.may_set_policy(request, item):
            raise PermissionDenied
        form = GroundFields(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid() and self._settles(request, item, form):
            self.log_change(request, item, "Settled.")
            messages.success(request, f"The justification for {item.app} is on record.")
            return HttpResponseRedirect(reverse("admin:inbox"))
        context = self.admin_site.each_context(request) | {
            "title": f"Justification owed: {item.app}", "opts": self.opts, "item": item, "form": form,
            "said": said(item.retention_type, item.ttl_days),
        }  # fmt: skip
        return TemplateResponse(request, "admin/retention/settle.html", context)

    def _settles(self, request: HttpRequest, item: OwedItem, form: GroundFields) -> bool:
        """Whether the flow took it; what it refuses is said at the field."""
        giver = Giver(via=Via.PORTAL, author=request.user)
        try:
            grounds.settle(item, form.ground() or Ground("", "", ""), giver=giver, now=clock.now())
        except ValidationError as refusal:
            form.add_error(None, refusal)
        except NothingOwed as refusal:
            form.add_error(None, str(refusal))
        return form.is_valid()
