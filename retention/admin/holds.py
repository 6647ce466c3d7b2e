"""Legal holds: placed on a page of their own, read by members, released with a reason."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from projects import authors, clock, ids
from projects.admin import cells
from projects.admin.scoped import Recorded, VisibleFilter
from projects.models import App, Project
from projects.roles import Reach, Right, reach
from retention import holding
from retention.admin import facts
from retention.models import HoldScope, LegalHold

MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S")


class HoldForm(forms.Form):
    """What is held, and for which matter. The flow judges it."""

    of_scope: ClassVar = {
        HoldScope.APP: "app",
        HoldScope.CONTACT: "contact_id",
        HoldScope.CONVERSATION: "conversation_id",
    }

    project = forms.ModelChoiceField(queryset=Project.objects.none())
    scope = forms.ChoiceField(choices=HoldScope.choices, widget=forms.RadioSelect, label="What it covers")
    app = forms.ModelChoiceField(
        queryset=App.objects.none(), required=False, help_text="Of a hold on an app."
    )
    contact_id = forms.CharField(required=False, label="Contact", help_text="Its id, of a hold on a contact.")
    conversation_id = forms.CharField(
        required=False, label="Conversation", help_text="Its id, of a hold on a conversation."
    )
    accept_from = forms.DateTimeField(
        required=False, widget=MOMENT, label="Messages from", help_text="UTC. Empty: from the first on."
    )
    accept_until = forms.DateTimeField(
        required=False,
        widget=MOMENT,
        label="Messages before",
        help_text="UTC. Empty: all that are still to come.",
    )
    matter = forms.CharField(
        max_length=255, widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=LegalHold._meta.get_field("matter").help_text,
    )  # fmt: skip
    text = forms.CharField(
        max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 4}), label="What is at stake",
        help_text=LegalHold._meta.get_field("text").help_text,
    )  # fmt: skip

    def __init__(self, *args: Any, reach: Reach, **options: Any) -> None:
        super().__init__(*args, **options)
        projects = reach.projects(Right.RETENTION).order_by("name")
        self.fields["project"].queryset = projects  # type: ignore[attr-defined]  # a ModelChoiceField
        self.fields["app"].queryset = App.objects.filter(project__in=projects).order_by("display_name")  # type: ignore[attr-defined]  # likewise

    def clean(self) -> dict[str, Any]:
        """What another scope would need is left out; what this one needs is asked for at its field."""
        scope = self.cleaned_data.get("scope")
        wanted = self.of_scope[HoldScope(scope)] if scope in self.of_scope else None
        for name in self.of_scope.values():
            given = self.cleaned_data.get(name)
            if name != wanted:
                self.cleaned_data[name] = None
            elif not given and name not in self.errors:
                self.add_error(name, "Say which one.")
            elif isinstance(given, str):
                self.cleaned_data[name] = self._id(name, given.strip().upper())
        return self.cleaned_data

    def _id(self, name: str, given: str) -> str:
        if not ids.is_ulid(given):
            self.add_error(name, "This is no id: ids have 26 letters and digits.")
        return given


class ReleaseForm(forms.Form):
    """Why a hold may end."""

    text = forms.CharField(
        max_length=4000, error_messages={"required": "Say why the hold may end, and who said so."}
    )


class InForceFilter(admin.SimpleListFilter):
    """Those that hold, or that were released."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The two."""
        return [("holds", "Holds"), ("released", "Released")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LegalHold]) -> QuerySet[LegalHold]:
        """As chosen; all where nothing is."""
        if self.value() in ("holds", "released"):
            return queryset.filter(release__isnull=self.value() == "holds")
        return queryset


@admin.register(LegalHold)
class LegalHoldAdmin(Recorded):
    """What must not be deleted, whatever a policy says or a client asks."""

    list_display = ["matter", "scope", "covers", "project", "placed_by", "placed_at", "state_badge"]
    list_select_related = ["project", "app", "placed_by", "release"]
    list_filter = [("project", VisibleFilter), "scope", InForceFilter]
    search_fields = ["matter"]
    search_help_text = "A word of the matter, or the id of a hold, contact or conversation."
    id_lookups = ("pk", "app", "contact_id", "conversation_id")
    ordering = ["-id"]
    fields = ["matter", "scope", "covers", "project", "accept_from", "accept_until", "text", "placer",
              "placed_at", "state_badge"]  # fmt: skip
    readonly_fields = ["covers", "placer", "state_badge"]
    change_form_template = "admin/retention/hold.html"

    @admin.display(description="Covers")
    def covers(self, hold: LegalHold) -> SafeString | str:
        match hold.scope:
            case HoldScope.APP:
                return cells.link(hold.app, to=reverse("admin:projects_app_change", args=[hold.app_id]))
            case HoldScope.CONTACT:
                return cells.code(hold.contact_id or "")
            case HoldScope.CONVERSATION:
                return cells.code(hold.conversation_id or "")
        return str(hold.project)

    @admin.display(description="Placed by")
    def placer(self, hold: LegalHold) -> str:
        return authors.named(hold.placed_by, hold.placed_by_key)

    @admin.display(description="State")
    def state_badge(self, hold: LegalHold) -> SafeString:
        return cells.state("Holds", "busy") if hold.is_active else cells.state("Released", "quiet")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """With the right in any project; the form offers which."""
        return reach(request).may(Right.RETENTION)

    def get_fields(self, request: HttpRequest, obj: LegalHold | None = None) -> list[Any]:
        """Without what was left open."""
        return facts.filled(obj, self.fields)

    def get_urls(self) -> list[URLPattern]:
        """One more: the release."""
        release = path(
            "<path:object_id>/release/",
            self.admin_site.admin_view(self.release_view),
            name="retention_legalhold_release",
        )
        return [release, *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Asks what is held and for which matter, and holds it. A link may fill in what it knows."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = HoldForm(request.POST or None, reach=reach(request), initial=request.GET.dict())
        if request.method == "POST" and form.is_valid():
            try:
                hold = holding.place(**form.cleaned_data, by=request.user, now=clock.now())
            except ValidationError as refusal:
                form.add_error(None, refusal)
            else:
                self.log_addition(request, hold, "Placed.")
                messages.success(request, f"{hold.matter} holds from now on.")
                return self._to(hold)
        context = self.admin_site.each_context(request) | {
            "title": "Place a legal hold", "opts": self.opts, "form": form,
        }  # fmt: skip
        return TemplateResponse(request, "admin/retention/place.html", context)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> HttpResponse:
        hold: LegalHold = options["obj"]
        release = getattr(hold, "release", None)
        context |= {
            "release": release,
            "released_by": release and authors.named(release.released_by, release.released_by_key),
            "may_release": hold.is_active and reach(request).may(Right.RETENTION, hold.project_id),
            "is_own": hold.project.demands_four_eyes and hold.placed_by_id == request.user.pk,
        }
        return super().render_change_form(request, context, *args, **options)

    def release_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lets go what was held; why is on record."""
        hold: LegalHold | None = self.get_object(request, object_id)
        if hold is None:
            return self.missing(request, object_id)
        if not reach(request).may(Right.RETENTION, hold.project_id):
            raise PermissionDenied
        form = ReleaseForm(request.POST)
        if request.method == "POST" and not form.is_valid():
            messages.error(request, " ".join(map(str, form.errors["text"])))
        elif request.method == "POST":
            try:
                holding.release(hold, **form.cleaned_data, by=request.user, now=clock.now())
            except ValidationError as refusal:
                messages.error(request, " ".join(refusal.messages))
            else:
                self.log_change(request, hold, "Released.")
                messages.success(request, "Released: what it held follows its policy again.")
        return self._to(hold)

    def _to(self, hold: LegalHold) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:retention_legalhold_change", args=[hold.pk]))
