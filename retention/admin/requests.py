"""Changes that wait for a second person: what is asked, what it would delete, and the decision."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.formats import localize
from django.utils.safestring import SafeString

from projects import clock
from projects.admin import cells
from projects.admin.scoped import VisibleFilter
from retention.admin import seeing
from retention.admin.rows import OfAnApp
from retention.deciding import approving
from retention.deciding.ruling import Policy
from retention.models import ChangeRequest
from retention.policies import PolicyType, Scope

State = ChangeRequest.State


@admin.register(ChangeRequest)
class ChangeRequestAdmin(OfAnApp):
    """Destructive changes of projects that demand four eyes."""

    list_display = ["app", "policy", "newly_due", "asked_by", "asked_at", "state_badge", "decided_by"]
    list_select_related = ["app", "asked_by", "decided_by"]
    list_filter = [("app", VisibleFilter), "state"]
    search_fields = ["app__display_name"]
    id_lookups = ("pk", "app")
    ordering = ["-id"]
    fields = ["app_page", "scope", "policy", "newly_due", "category", "reference", "text", "review_on", "asked_by",
              "asked_at", "expires_at", "state_badge", "decided_by", "decided_at", "version"]  # fmt: skip
    readonly_fields = ["app_page", "policy", "state_badge"]
    change_form_template = "admin/retention/request.html"
    tones = {State.OPEN: "busy", State.APPROVED: "good", State.DECLINED: "bad"}

    @admin.display(description="State", ordering="state")
    def state_badge(self, request: ChangeRequest) -> SafeString:
        state = State(request.state)
        is_over = state == State.OPEN and not approving.is_alive(request, now=clock.now())
        return cells.state(State.LAPSED.label if is_over else state.label, self.tones.get(state, "quiet"))

    def get_urls(self) -> list[URLPattern]:
        """Two more, for the two decisions."""
        return [
            *(
                path(
                    f"<path:object_id>/{verb}/",
                    self.admin_site.admin_view(view),
                    name=f"retention_changerequest_{verb}",
                )
                for verb, view in (("approve", self.approve_view), ("decline", self.decline_view))
            ),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> HttpResponse:
        asked: ChangeRequest = options["obj"]
        now = clock.now()
        if approving.is_alive(asked, now=now):
            context |= {
                "seen": seeing.context(_policy(asked), asked.app, now=now),
                "is_own": asked.asked_by_id == request.user.pk,
                "may_decide": self.may_set_policy(request, asked),
            }
        return super().render_change_form(request, context, *args, **options)

    def approve_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make the change."""
        asked = self._asked(request, object_id)
        if isinstance(asked, HttpResponse):
            return asked
        try:
            version = approving.approve(asked, approver=request.user, now=clock.now())
        except approving.NotApproved as refusal:
            messages.error(request, str(refusal))
        except ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
        else:
            self.log_change(request, asked, "Approved.")
            said = f"Approved: version {version.number} rules {asked.app} from {localize(version.effective_at)} on."
            messages.success(request, said)
        return self._back(asked)

    def decline_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Leave the policy as it is."""
        asked = self._asked(request, object_id)
        if isinstance(asked, HttpResponse):
            return asked
        try:
            approving.decline(asked, by=request.user, now=clock.now())
        except approving.NotApproved as refusal:
            messages.error(request, str(refusal))
        else:
            self.log_change(request, asked, "Declined.")
            messages.success(request, f"The policy of {asked.app} stays as it is.")
        return self._back(asked)

    def _asked(self, request: HttpRequest, object_id: str) -> ChangeRequest | HttpResponse:
        """The request that is decided, or the answer where nothing is."""
        asked: ChangeRequest | None = self.get_object(request, object_id)
        if asked is None:
            return self.missing(request, object_id)
        if not self.may_set_policy(request, asked):
            raise PermissionDenied
        return asked if request.method == "POST" else self._back(asked)

    def _back(self, asked: ChangeRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:retention_changerequest_change", args=[asked.pk]))


def _policy(asked: ChangeRequest) -> Policy:
    return Policy(
        scope=Scope(asked.scope), retention_type=PolicyType(asked.retention_type), ttl_days=asked.ttl_days
    )
