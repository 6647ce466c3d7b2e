"""Legal grounds, and those still owed."""

from __future__ import annotations

from datetime import timedelta
from textwrap import shorten
from typing import Final

import pgtrigger
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MinLengthValidator, ProhibitNullCharactersValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThanOrEqual

from projects.fields import PublicIdField, ULIDField
from projects.models import App
from retention.permanence import APPEND_ONLY, ROWS_STAY, TABLE_STAYS, columns_stay
from retention.policies import Scope, type_choices
from retention.trimming import trimmed, trimmed_length


class Via(models.TextChoices):
    """The door a change came through."""

    SYSTEM = "SYSTEM"
    PORTAL = "PORTAL"
    API = "API"


def by_somebody(via: str, *, person: str, key: str) -> Q:
    """Whoever comes in through a door has a name there: a person in the portal, a key by API."""
    return (
        Q(**{via: Via.PORTAL, f"{person}__isnull": False, f"{key}__isnull": True})
        | Q(**{via: Via.API, f"{person}__isnull": True, f"{key}__isnull": False})
        | Q(**{via: Via.SYSTEM, f"{person}__isnull": True, f"{key}__isnull": True})
    )


class Category(models.TextChoices):
    """The legal ground for keeping messages longer, shorter, or otherwise than by default."""

    CONSENT = "CONSENT", "Consent of the persons concerned"
    CONTRACT = "CONTRACT", "Performance of a contract"
    LEGAL_OBLIGATION = "LEGAL_OBLIGATION", "Legal obligation"
    VITAL_INTERESTS = "VITAL_INTERESTS", "Vital interests"
    PUBLIC_TASK = "PUBLIC_TASK", "Task in the public interest"
    LEGITIMATE_INTERESTS = "LEGITIMATE_INTERESTS", "Legitimate interests"
    LEGAL_CLAIM = "LEGAL_CLAIM", "Establishing or defending legal claims"
    DATA_MINIMISATION = "DATA_MINIMISATION", "Data minimisation: kept shorter than by default"
    NOT_PERSONAL_DATA = "NOT_PERSONAL_DATA", "No personal data in these messages"


class Justification(models.Model):
    """The legal ground for one deviation. Never changed: another ground is another row."""

    id = PublicIdField()
    app = models.ForeignKey(App, models.PROTECT, related_name="justifications")
    # What it justifies: a text given for 30 days cannot serve for 3650.
    scope = models.CharField(max_length=8, choices=Scope.choices, default=Scope.MESSAGES, editable=False)
    retention_type = models.CharField(max_length=32, choices=type_choices, editable=False)
    ttl_days = models.PositiveIntegerField(editable=False)
    category = models.CharField(max_length=32, choices=Category.choices)
    reference = models.CharField(
        max_length=255,
        blank=True,
        validators=[ProhibitNullCharactersValidator()],
        help_text="The law, contract or decision. Required for a legal obligation.",
    )
    text = models.TextField(
        max_length=4000,
        validators=[
            MinLengthValidator(
                40, "The justification needs at least 40 characters; these are %(show_value)d."
            ),
            MaxLengthValidator(
                4000, "The justification has at most 4000 characters; these are %(show_value)d."
            ),
            ProhibitNullCharactersValidator(),
        ],
        help_text="Why these messages must be kept this way: 40 to 4000 characters.",
    )
    review_on = models.DateField(null=True, blank=True, help_text="When the ground is looked at again.")
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    given_by_key = ULIDField(null=True, editable=False)
    given_via = models.CharField(max_length=8, choices=Via.choices, editable=False)
    created_at = models.DateTimeField(editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["id", "app", "scope", "retention_type", "ttl_days"],
                name="justification_is_of_one_policy",
            ),
            models.CheckConstraint(
                condition=Q(category__in=Category.values), name="justification_category_is_known"
            ),
            models.CheckConstraint(
                condition=by_somebody("given_via", person="given_by", key="given_by_key"),
                name="justification_is_given_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(category=Category.LEGAL_OBLIGATION)
                | Q(GreaterThan(trimmed_length("reference"), 0)),
                name="justification_of_a_legal_obligation_names_it",
                violation_error_message="Name the law or regulation that obliges you.",
            ),
            models.CheckConstraint(
                condition=Q(
                    GreaterThanOrEqual(trimmed_length("text"), 40),
                    LessThanOrEqual(trimmed_length("text"), 4000),
                ),
                name="justification_text_has_40_to_4000_characters",
                violation_error_message="The justification needs 40 to 4000 characters.",
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.get_category_display()}: {shorten(self.text, 60, placeholder='…')}"

    def clean(self) -> None:
        """Raises ValidationError under the field that it concerns."""
        if self.category == Category.LEGAL_OBLIGATION and not trimmed(self.reference):
            raise ValidationError({"reference": "Name the law or regulation that obliges you."})
        if self.review_on and self.created_at and self.review_on < self.created_at.date():
            raise ValidationError({"review_on": "The day of the next review has already passed."})


SUPERSEDED_BY_A_VERSION: Final = """
    SELECT EXISTS (
        SELECT FROM retention_retentionpolicy AS owing
        JOIN retention_retentionpolicy AS newer
            ON newer.app_id = owing.app_id AND newer.scope = owing.scope AND newer.number > owing.number
        WHERE owing.owed_id = NEW.id
    ) INTO is_superseded;
    IF NOT is_superseded THEN
        RAISE EXCEPTION 'pgtrigger: Cannot supersede a debt while its policy is the newest';
    END IF;
    RETURN NULL;
"""


class OwedItem(models.Model):
    """A justification that is owed: the API changed a policy and gave no ground."""

    class State(models.TextChoices):
        """What became of the debt."""

        OPEN = "OPEN"
        SUPPLIED = "SUPPLIED"
        SUPERSEDED = "SUPERSEDED"  # the policy was changed again, or set back

    id = PublicIdField()
    app = models.ForeignKey(App, models.PROTECT, related_name="owed_items")
    scope = models.CharField(max_length=8, choices=Scope.choices, default=Scope.MESSAGES)
    retention_type = models.CharField(max_length=32, choices=type_choices)
    ttl_days = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    justification = models.ForeignKey(
        Justification, models.PROTECT, null=True, related_name="settles", db_constraint=False
    )
    account_manager_email = models.CharField(max_length=320, blank=True)  # as of the day it was opened
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    reminders_sent = models.PositiveSmallIntegerField(default=0)
    last_reminder_at = models.DateTimeField(null=True)

    GRACE: Final = timedelta(days=14)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["id", "app", "scope", "retention_type", "ttl_days"], name="owed_item_is_of_one_policy"
            ),
            models.UniqueConstraint(
                fields=["app", "scope"],
                condition=Q(state="OPEN"),
                name="owed_item_is_one_open_per_app_and_scope",
            ),
            models.CheckConstraint(
                condition=Q(state="SUPPLIED", justification__isnull=False)
                | (~Q(state="SUPPLIED") & Q(justification__isnull=True)),
                name="owed_item_is_supplied_by_a_justification",
            ),
            models.CheckConstraint(
                condition=Q(state="OPEN", closed_at__isnull=True)
                | (~Q(state="OPEN") & Q(closed_at__isnull=False)),
                name="owed_item_is_closed_at_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["OPEN", "SUPPLIED", "SUPERSEDED"]), name="owed_item_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(due_at__gt=F("opened_at")), name="owed_item_is_due_after_it_is_opened"
            ),
        ]
        triggers = [
            ROWS_STAY,
            TABLE_STAYS,
            columns_stay(
                "id",
                "app",
                "scope",
                "retention_type",
                "ttl_days",
                "account_manager_email",
                "opened_at",
                "due_at",
            ),
            pgtrigger.Protect(
                name="closed_stays_closed",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="OPEN"),
            ),
            pgtrigger.Trigger(
                name="superseded_by_a_version",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                timing=pgtrigger.Deferred,  # the version that supersedes it comes after it
                condition=pgtrigger.Q(new__state="SUPERSEDED"),
                declare=[("is_superseded", "BOOLEAN")],
                func=SUPERSEDED_BY_A_VERSION,
            ),
        ]

    def __str__(self) -> str:
        return f"Justification owed for {self.app}"
