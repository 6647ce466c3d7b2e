"""What forms ask about retention: a policy, its legal ground, and the number that is typed back."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction

from projects import clock
from projects.models import App
from retention.admin import seeing
from retention.deciding import approving, changing, ruling
from retention.deciding.grounds import Ground
from retention.deciding.ruling import Policy
from retention.models import Category, ChangeRequest, Justification, RetentionPolicy
from retention.policies import DEFAULT_TTL_DAYS, DEFAULT_TYPE, TTL_BOUNDS, PolicyType, Scope

GROUND_FIELDS: Final = ("category", "reference", "text", "review_on")
POLICY_FIELDS: Final = ("retention_type", "ttl_days")


class GroundFields(forms.Form):
    """A legal ground, as a person gives it."""

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

    @property
    def ground_fields(self) -> list[forms.BoundField]:
        """For the template."""
        return [self[name] for name in GROUND_FIELDS]

    def ground(self) -> Ground | None:
        """What was given, if anything was."""
        if not any(self.cleaned_data.get(name) for name in GROUND_FIELDS):
            return None
        return Ground(**{name: self.cleaned_data[name] for name in GROUND_FIELDS})


class RetentionFields(GroundFields):
    """A policy of one app. The flow judges it; here is only what may be typed.

    A page's own subclass knows its `author` and its `instance`.
    """

    scope: ClassVar[Scope] = Scope.MESSAGES
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
        widget=forms.NumberInput(attrs={"min": TTL_BOUNDS[Scope.MESSAGES][0], "max": TTL_BOUNDS[Scope.MESSAGES][1],
                                        "list": "ttl-presets"}),
        help_text="1 to 3650, by default 180. It has no effect where messages are kept until deleted.",
    )  # fmt: skip
    confirmed = forms.IntegerField(
        required=False,
        label="Number that becomes due",
        widget=forms.NumberInput(attrs={"autocomplete": "off"}),
    )
    previewed = forms.CharField(required=False, widget=forms.HiddenInput)

    @property
    def is_preview(self) -> bool:
        """Whether the person only looks: then nothing is saved."""
        return "_preview" in self.data

    def is_valid(self) -> bool:
        """A preview is never saved."""
        return super().is_valid() and not self.is_preview

    def show_policy(self) -> None:
        """Start from what was set last."""
        policy = ruling.newest(app=self.instance, scope=self.scope)
        set_last = {"retention_type": policy.retention_type, "ttl_days": policy.ttl_days}
        self.initial = {**self.initial, **set_last}

    def proposed(self) -> Policy | None:
        """The policy as it was typed; None where it is none, which is then said at the field."""
        newest = ruling.newest(app=self.instance, scope=self.scope)
        given = self.cleaned_data if self.is_bound and not self.errors.keys() & {*POLICY_FIELDS} else None
        if given is None:
            return None
        ttl_days = given.get("ttl_days")
        try:
            return changing.proposed(
                scope=self.scope,
                retention_type=given.get("retention_type") or newest.retention_type,
                ttl_days=newest.ttl_days if ttl_days is None else ttl_days,
            )
        except ValidationError as refusal:
            self.add_error(None, refusal)
            return None

    def try_policy(self) -> None:
        """Ask the flow, and take back what it did: what it refuses is said at the field."""
        if self.proposed() is None or self.is_preview or self.errors.keys() & {*GROUND_FIELDS, "confirmed"}:
            return
        try:
            with transaction.atomic():
                self.change_policy()
                transaction.set_rollback(True)
        except ValidationError as refusal:
            self.add_error(None, refusal)

    def change_policy(self) -> RetentionPolicy | ChangeRequest | None:
        """Set it, or ask a second person to. Raises ValidationError."""
        policy = self.proposed()
        if policy is None:
            raise TypeError("Only a valid form changes a policy.")
        return approving.propose(
            app=self.instance,
            retention_type=policy.retention_type,
            ttl_days=policy.ttl_days,
            scope=self.scope,
            author=self.author,
            ground=self.ground(),
            confirmation=approving.Confirmation(
                typed=self.cleaned_data.get("confirmed"),
                shown=seeing.shown(self.cleaned_data.get("previewed", ""), policy, self.instance),
            ),
            now=clock.now(),
        )
