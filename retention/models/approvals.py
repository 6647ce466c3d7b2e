"""Changes that wait for a second person."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from projects.fields import PublicIdField
from projects.models import App
from retention.models.grounds import Category
from retention.models.versions import RetentionPolicy
from retention.permanence import ROWS_STAY, TABLE_STAYS, columns_stay
from retention.policies import Scope, type_choices


class ChangeRequest(models.Model):
    """A change under which something is newly due, in a project that demands four eyes.

    It holds all that the change needs, its ground too, and what the asker saw: a second person approves just that.
    """

    class State(models.TextChoices):
        """What became of the request."""

        OPEN = "OPEN", "Waits for a second person"
        APPROVED = "APPROVED", "Approved"
        DECLINED = "DECLINED", "Declined"
        WITHDRAWN = "WITHDRAWN", "Withdrawn"
        LAPSED = "LAPSED", "Lapsed"  # the policy, the day or the number that was previewed is over

    id = PublicIdField()
    app = models.ForeignKey(App, models.PROTECT, related_name="change_requests")
    scope = models.CharField(max_length=8, choices=Scope.choices, default=Scope.MESSAGES)
    retention_type = models.CharField(max_length=32, choices=type_choices)
    ttl_days = models.PositiveIntegerField("TTL days")
    category = models.CharField(max_length=32, choices=Category.choices, blank=True)
    reference = models.CharField(max_length=255, blank=True)
    text = models.TextField("justification", blank=True)
    review_on = models.DateField(null=True)
    replaces = models.PositiveIntegerField()  # the number of the version that it was previewed against
    newly_due = models.PositiveBigIntegerField()  # rows, as previewed
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    version = models.OneToOneField(RetentionPolicy, models.PROTECT, null=True, related_name="request")

    LIFE: Final = timedelta(hours=24)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["app", "scope"],
                condition=Q(state="OPEN"),
                name="change_request_is_one_open_per_app_and_scope",
            ),
            models.CheckConstraint(
                condition=~Q(state="APPROVED") | ~Q(decided_by=F("asked_by")),
                name="change_request_is_approved_by_a_second_person",
                violation_error_message="Nobody approves their own change.",
            ),
            models.CheckConstraint(
                condition=Q(state="APPROVED", version__isnull=False, decided_by__isnull=False)
                | (~Q(state="APPROVED") & Q(version__isnull=True)),
                name="change_request_makes_a_version_when_approved",
            ),
            models.CheckConstraint(
                condition=Q(state="OPEN", decided_at__isnull=True)
                | (~Q(state="OPEN") & Q(decided_at__isnull=False)),
                name="change_request_is_decided_at_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["OPEN", "APPROVED", "DECLINED", "WITHDRAWN", "LAPSED"]),
                name="change_request_state_is_known",
            ),
        ]
        triggers = [
            ROWS_STAY,
            TABLE_STAYS,
            columns_stay("id", "app", "scope", "retention_type", "ttl_days", "category", "reference", "text", "review_on",
                         "replaces", "newly_due", "asked_by", "asked_at", "expires_at"),
            pgtrigger.Protect(
                name="decided_stays_decided",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="OPEN"),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.app}: {RetentionPolicy(retention_type=self.retention_type, ttl_days=self.ttl_days)}"
