"""Compliance's pages: policies, what justifies them and what is owed; and the part of the app's page that sets one."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.safestring import SafeString

from projects import clock
from projects.admin import cells
from projects.admin.scoped import Recorded, VisibleFilter
from projects.models import App
from retention import changing, ruling
from retention.models import Category, Justification, OwedItem, RetentionPolicy, Via
from retention.policies import DEFAULT_TTL_DAYS, DEFAULT_TYPE, TTL_BOUNDS, PolicyType, Scope

GROUND_FIELDS: Final = ("category", "reference", "text", "review_on")
POLICY_FIELDS: Final = ("retention_type", "ttl_days")


class RetentionFields(forms.Form):
    """What an app's form asks about retention. The flow judges it; here is only what may be typed.

    A page's own subclass knows its `author`.
    """

    author: Any = None
    instance: App

    retention_type = forms.ChoiceField(
        choices=PolicyType.choices,
        initial=DEFAULT_TYPE,
        required=False,
        widget=forms.RadioSelect,
        label="Policy",
    )
    ttl_days = forms.IntegerField(
        initial=DEFAULT_TTL_DAYS[Scope.MESSAGES], required=False, label="TTL days",
        widget=forms.NumberInput(attrs={"min": TTL_BOUNDS[Scope.MESSAGES][0], "max": TTL_BOUNDS[Scope.MESSAGES][1]}),
        help_text="1 to 3650, by default 180. It has no effect where messages are kept until deleted.",
    )  # fmt: skip
    category = forms.ChoiceField(
        choices=[("", "Choose the legal ground …"), *Category.choices], required=False
    )
    reference = forms.CharField(
        max_length=255, required=False, widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=Justification._meta.get_field("reference").help_text,
    )  # fmt: skip
    text = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 4, "maxlength": 4000}), label="Justification",
        help_text=Justification._meta.get_field("text").help_text,
    )  # fmt: skip
    review_on = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}), label="Review on",
        help_text=Justification._meta.get_field("review_on").help_text,
    )  # fmt: skip

    def show_policy(self) -> None:
        """Start from what was set last."""
        policy = ruling.newest(app=self.instance)
        self.fields["retention_type"].initial = policy.retention_type
        self.fields["ttl_days"].initial = policy.ttl_days

    def try_policy(self) -> None:
        """Ask the flow, and take back what it did: what it refuses is said at the field."""
        if self.errors.keys() & {*GROUND_FIELDS, *POLICY_FIELDS}:
            return
        try:
            with transaction.atomic():
                self.change_policy()
                transaction.set_rollback(True)
        except ValidationError as refusal:
            self.add_error(None, refusal)

    def change_policy(self) -> RetentionPolicy | None:
        """Set it. Raises ValidationError."""
        newest = ruling.newest(app=self.instance)
        ttl_days = self.cleaned_data.get("ttl_days")
        return changing.change(
            app=self.instance,
            retention_type=self.cleaned_data.get("retention_type") or newest.retention_type,
            ttl_days=newest.ttl_days if ttl_days is None else ttl_days,
            via=Via.PORTAL,
            author=self.author,
            ground=self._ground(),
            now=clock.now(),
        )

    def _ground(self) -> changing.Ground | None:
        if not any(self.cleaned_data.get(name) for name in GROUND_FIELDS):
            return None
        return changing.Ground(**{name: self.cleaned_data[name] for name in GROUND_FIELDS})


def panel(app: App) -> dict[str, Any]:
    """What the app's page says about its retention: the policy, what is owed for it, and every version before."""
    versions = RetentionPolicy.objects.filter(app=app, scope=Scope.MESSAGES).newest_first()
    newest, in_force = ruling.newest(app=app), ruling.in_force(app=app, at=clock.now())
    return {
        "policy": newest,
        "said": said(newest.retention_type, newest.ttl_days),
        "said_until_then": "" if newest == in_force else said(in_force.retention_type, in_force.ttl_days),
        "dispatch": ruling.newest(app=app, scope=Scope.DISPATCH),
        "owed": OwedItem.objects.filter(app=app, scope=Scope.MESSAGES, state=OwedItem.State.OPEN).first(),
        "versions": versions.select_related("author", "justification", "owed"),
    }


class OfAnApp(Recorded):
    """Rows that say something of an app's retention."""

    project_path = "app__project"
    list_select_related = ["app"]

    @admin.display(description="Policy")
    def policy(self, row: Any) -> str:
        return said(row.retention_type, row.ttl_days)

    @admin.display(description="App")
    def app_page(self, row: Any) -> SafeString:
        return cells.link(row.app, to=reverse("admin:projects_app_change", args=[row.app_id]) + "#retention")


@admin.register(RetentionPolicy)
class RetentionPolicyAdmin(OfAnApp):
    """Every version of every app's policy. A new one is made on the app's page."""

    list_display = ["app", "number", "scope", "policy", "via", "author", "effective_at"]
    list_select_related = ["app", "author"]
    list_filter = [("app", VisibleFilter), "retention_type", "via", "scope"]
    search_fields = ["app__display_name"]
    id_lookups = ("pk", "app", "justification", "owed")
    ordering = ["-id"]
    fields = ["app_page", "scope", "number", "policy", "via", "author", "author_key", "created_at", "effective_at",
              "newly_due", "justification", "owed"]  # fmt: skip
    readonly_fields = ["app_page", "policy"]


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
    fields = ["app_page", "scope", "policy", "category", "reference", "text", "review_on", "given_by", "given_by_key",
              "given_via", "created_at"]  # fmt: skip
    readonly_fields = ["app_page", "policy"]


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


def said(retention_type: str, ttl_days: int) -> str:
    """A policy in a few words."""
    return str(RetentionPolicy(retention_type=retention_type, ttl_days=ttl_days))
