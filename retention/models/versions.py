"""The versions of each app's policy."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import pgtrigger
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Now
from django.db.models.lookups import GreaterThanOrEqual

from projects.fields import PublicIdField, ULIDField
from projects.models import App
from retention.models.grounds import Justification, OwedItem, Via, by_somebody
from retention.permanence import APPEND_ONLY
from retention.policies import (
    DEFAULT_TTL_DAYS,
    DEFAULT_TYPE,
    IS_DEFAULT,
    TTL_BOUNDS,
    PolicyType,
    Scope,
    type_choices,
)

GRACE: Final = timedelta(hours=24)  # before a version takes effect under which something is newly due
FOLLOWS_THE_LAST: Final = """
    SELECT number, created_at INTO last FROM retention_retentionpolicy
    WHERE app_id = NEW.app_id AND scope = NEW.scope ORDER BY number DESC LIMIT 1;
    IF NEW.number <> coalesce(last.number, 0) + 1 OR NEW.created_at < last.created_at THEN
        RAISE EXCEPTION 'pgtrigger: Cannot write a version that does not follow the last one';
    END IF;
    RETURN NEW;
"""


class RetentionPolicyQuerySet(models.QuerySet["RetentionPolicy"]):
    """The versions of an app's policy."""

    def newest_first(self) -> RetentionPolicyQuerySet:
        """As the history reads."""
        return self.order_by("-number")

    def effective(self, at: datetime | Now) -> RetentionPolicyQuerySet:
        """Those that have taken effect; the highest number of an app and scope is the one that rules.

        A version that was replaced while it waited never takes effect, not even until its successor does.
        """
        replaced = RetentionPolicy.objects.filter(
            app=OuterRef("app"),
            scope=OuterRef("scope"),
            number__gt=OuterRef("number"),
            created_at__lt=OuterRef("effective_at"),
        )
        return self.filter(~Exists(replaced), effective_at__lte=at)


class RetentionPolicy(models.Model):
    """One version of an app's policy. Never changed: the table is the history."""

    id = PublicIdField()
    app = models.ForeignKey(App, models.PROTECT, related_name="retention_policies")
    scope = models.CharField(max_length=8, choices=Scope.choices, default=Scope.MESSAGES, editable=False)
    number = models.PositiveIntegerField(editable=False)
    retention_type = models.CharField(max_length=32, choices=type_choices, default=DEFAULT_TYPE)
    ttl_days = models.PositiveIntegerField("TTL days", default=DEFAULT_TTL_DAYS[Scope.MESSAGES])
    via = models.CharField(max_length=8, choices=Via.choices, editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    author_key = ULIDField(null=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    effective_at = models.DateTimeField(editable=False)
    newly_due = models.PositiveBigIntegerField(default=0, editable=False)  # rows, counted at the change
    justification = models.ForeignKey(
        Justification, models.PROTECT, null=True, editable=False, related_name="policies", db_constraint=False
    )
    owed = models.ForeignKey(
        OwedItem, models.PROTECT, null=True, editable=False, related_name="policies", db_constraint=False
    )

    objects = RetentionPolicyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "retention policies"
        constraints = [
            models.UniqueConstraint(
                fields=["app", "scope", "number"], name="retention_version_has_one_number"
            ),
            # A debt that was superseded with its version would let another one do without a ground.
            models.UniqueConstraint(fields=["owed"], name="retention_debt_is_of_one_version"),
            models.CheckConstraint(
                condition=Q(scope=Scope.MESSAGES, ttl_days__range=TTL_BOUNDS[Scope.MESSAGES])
                | Q(scope=Scope.DISPATCH, ttl_days__range=TTL_BOUNDS[Scope.DISPATCH]),
                name="retention_ttl_is_in_bounds",
                violation_error_message="TTL days must be 1 to 3650 (0 to 7 for dispatched messages).",
            ),
            models.CheckConstraint(
                condition=Q(scope=Scope.MESSAGES) | Q(retention_type=DEFAULT_TYPE),
                name="retention_of_dispatch_is_by_message",
                violation_error_message="Dispatched messages can only expire by their own age.",
            ),
            models.CheckConstraint(
                condition=IS_DEFAULT
                | Q(justification__isnull=False, owed__isnull=True)
                | Q(justification__isnull=True, owed__isnull=False),
                name="retention_deviation_is_justified_or_owed",
                violation_error_message="A policy other than the default needs a legal justification.",
            ),
            models.CheckConstraint(
                condition=~IS_DEFAULT | Q(owed__isnull=True), name="retention_default_owes_nothing"
            ),
            models.CheckConstraint(
                condition=~Q(via=Via.PORTAL) | Q(owed__isnull=True),
                name="retention_in_the_portal_is_justified",
            ),
            models.CheckConstraint(
                condition=~Q(via=Via.SYSTEM) | IS_DEFAULT, name="retention_of_the_system_is_default"
            ),
            models.CheckConstraint(condition=Q(via__in=Via.values), name="retention_via_is_known"),
            models.CheckConstraint(
                condition=by_somebody("via", person="author", key="author_key"),
                name="retention_is_set_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(effective_at__gte=F("created_at")), name="retention_takes_effect_after_it_is_made"
            ),
            models.CheckConstraint(
                condition=Q(newly_due=0)
                | Q(GreaterThanOrEqual(F("effective_at") - F("created_at"), Value(GRACE))),
                name="retention_waits_before_it_deletes",
            ),
        ]
        triggers = [
            *APPEND_ONLY,
            pgtrigger.Trigger(
                name="follows_the_last",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("last", "RECORD")],
                func=FOLLOWS_THE_LAST,
            ),
        ]

    def __str__(self) -> str:
        if self.retention_type == PolicyType.PERSIST_RETENTION_POLICY:
            return "kept until deleted"
        what = "messages" if self.retention_type == PolicyType.MESSAGE_EXPIRE_POLICY else "conversations"
        return f"{what} expire after {self.ttl_days} day{'' if self.ttl_days == 1 else 's'}"

    @property
    def is_default(self) -> bool:
        """Whether it needs no ground."""
        return self.retention_type == DEFAULT_TYPE and self.ttl_days == DEFAULT_TTL_DAYS[Scope(self.scope)]

    def clean(self) -> None:
        """Raises ValidationError under the field that it concerns."""
        scope = Scope(self.scope)
        low, high = TTL_BOUNDS[scope]
        if not low <= self.ttl_days <= high:
            raise ValidationError({"ttl_days": f"TTL days must be {low} to {high}."})
        if scope == Scope.DISPATCH and self.retention_type != DEFAULT_TYPE:
            raise ValidationError({"retention_type": "Dispatched messages can only expire by their own age."})
