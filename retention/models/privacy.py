"""What persons ask for under the law: a copy of what is stored about them, or that it is erased."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import pgtrigger
from django.conf import settings
from django.core.validators import ProhibitNullCharactersValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import GreaterThan

from projects.fields import PublicIdField, ULIDField
from projects.models import Project
from retention.permanence import ROWS_STAY, TABLE_STAYS, columns_stay
from retention.trimming import trimmed_length

DOWNLOADABLE: Final = timedelta(days=7)


class PrivacyRequestQuerySet(models.QuerySet["PrivacyRequest"]):
    """Requests, by what has still to be done about them."""

    def open(self) -> PrivacyRequestQuerySet:
        """Somebody has to decide, or a part is held back: their month runs."""
        return self.exclude(state__in=[PrivacyRequest.State.DONE, PrivacyRequest.State.REFUSED])

    def unanswered(self) -> PrivacyRequestQuerySet:
        """Somebody has to decide, or what was approved is not done; what a hold keeps may wait."""
        return self.filter(state__in=[PrivacyRequest.State.OPEN, PrivacyRequest.State.APPROVED])

    def unfinished(self) -> PrivacyRequestQuerySet:
        """Erasures that were approved and have not come to their end."""
        return self.filter(
            kind=PrivacyRequest.Kind.ERASURE,
            state__in=[PrivacyRequest.State.APPROVED, PrivacyRequest.State.HELD],
        )


class PrivacyRequest(models.Model):
    """A person's request, written before anything is done about it. It names nobody: the contact's id alone."""

    class Kind(models.TextChoices):
        """What is asked for."""

        EXPORT = "EXPORT", "A copy of everything (Art. 15 and 20)"
        ERASURE = "ERASURE", "Erasure of everything (Art. 17)"

    class State(models.TextChoices):
        """How far it has come."""

        OPEN = "OPEN", "Waits for a decision"
        APPROVED = "APPROVED", "Approved, under way"
        HELD = "HELD", "Done but for what a legal hold keeps"
        DONE = "DONE", "Done"
        REFUSED = "REFUSED", "Refused"

    id = PublicIdField()
    project = models.ForeignKey(
        Project, models.PROTECT, related_name="privacy_requests", editable=False, db_index=False
    )
    kind = models.CharField(max_length=8, choices=Kind.choices, editable=False)
    contact_id = ULIDField(editable=False)  # no foreign key: it is what goes
    reference = models.CharField(
        max_length=255,
        blank=True,
        validators=[ProhibitNullCharactersValidator()],
        help_text="Your own number for the request. No names: this row stays.",
    )
    identity_check = models.CharField(
        max_length=255,
        validators=[ProhibitNullCharactersValidator()],
        help_text="How you know that the person asks, for instance: a code sent to the number.",
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN, editable=False)
    received_at = models.DateTimeField(editable=False)
    due_at = models.DateTimeField(editable=False)  # Art. 12(3): a month, extended by two with a reason
    extension = models.CharField(max_length=255, blank=True, editable=False)  # why it was extended
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, editable=False)
    refusal = models.CharField(max_length=255, blank=True, editable=False)  # why it was refused
    erased = models.JSONField(default=dict, editable=False)  # rows by table
    held = models.JSONField(default=dict, editable=False)  # rows by table that a hold kept at the last try
    verified_at = models.DateTimeField(null=True, editable=False)  # looked again, and nothing was left
    closed_at = models.DateTimeField(null=True, editable=False)
    urged_at = models.DateTimeField(null=True, editable=False)  # when it was last mailed that it is due

    objects = PrivacyRequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=GreaterThan(trimmed_length("identity_check"), 0),
                name="privacy_request_is_of_who_asks",
                violation_error_message="Say how you know that it is the person who asks.",
            ),
            models.CheckConstraint(
                condition=Q(state="OPEN", decided_at=None) | (~Q(state="OPEN") & Q(decided_at__isnull=False)),
                name="privacy_request_is_decided_at_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["DONE", "REFUSED"], closed_at__isnull=False)
                | (~Q(state__in=["DONE", "REFUSED"]) & Q(closed_at=None)),
                name="privacy_request_is_closed_at_a_moment",
            ),
            models.CheckConstraint(
                condition=~Q(state="REFUSED") | ~Q(refusal=""),
                name="privacy_request_is_refused_for_a_reason",
                violation_error_message="Say why the request is refused: the person has a right to know.",
            ),
            models.CheckConstraint(
                condition=~Q(kind="ERASURE", state="DONE") | Q(verified_at__isnull=False),
                name="privacy_request_is_verified_when_erased",
            ),
            models.CheckConstraint(
                condition=Q(due_at__gt=F("received_at")), name="privacy_request_is_due_after_it_came"
            ),
            models.UniqueConstraint(
                fields=["contact_id", "kind"],
                condition=Q(state__in=["OPEN", "APPROVED", "HELD"]),
                name="privacy_request_is_one_open_per_contact",
                violation_error_message="The same is already asked for, and under way.",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "-id"], name="privacy_request_of_project"),  # the portal's list
            models.Index(  # the inbox, and the erasures that go on
                fields=["due_at"],
                name="privacy_request_open",
                condition=Q(state__in=["OPEN", "APPROVED", "HELD"]),
            ),
        ]
        triggers = [
            ROWS_STAY,
            TABLE_STAYS,
            columns_stay("id", "project", "kind", "contact_id", "identity_check", "received_at"),
            pgtrigger.Protect(
                name="closed_stays_closed",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__closed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, contact {self.contact_id}"

    @property
    def is_under_way(self) -> bool:
        """Whether it was approved and has not come to its end."""
        return self.state in [self.State.APPROVED, self.State.HELD]

    @property
    def downloadable_until(self) -> datetime | None:
        """Until when the copy may be fetched; None where there is none."""
        if self.kind != self.Kind.EXPORT or self.state != self.State.DONE or not self.closed_at:
            return None
        return self.closed_at + DOWNLOADABLE
