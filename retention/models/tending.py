"""What is remembered of the purge's own health: looks through the ledger, counts of what is due, and tallies."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from projects.models import App
from retention.permanence import APPEND_ONLY


class LedgerCheckQuerySet(models.QuerySet["LedgerCheck"]):
    """Checks, by what they found."""

    def genuine(self) -> LedgerCheckQuerySet:
        """Everything was as it was written."""
        return self.filter(faults=0)

    def latest_one(self) -> LedgerCheck | None:
        """The last that came to its end."""
        return self.order_by("-id").first()


class LedgerCheck(models.Model):
    """One look through the whole ledger and its anchors, and what it found. Never changed."""

    id = models.BigAutoField(primary_key=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    apps = models.PositiveBigIntegerField()
    rows = models.PositiveBigIntegerField()
    anchors = models.PositiveBigIntegerField()
    faults = models.PositiveBigIntegerField()
    first_fault = models.TextField(blank=True)  # where, and what

    objects = LedgerCheckQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(faults=0, first_fault="") | (Q(faults__gt=0) & ~Q(first_fault="")),
                name="ledger_check_names_a_fault",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__gte=F("started_at")), name="ledger_check_ends_after_it_started"
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return self.first_fault or "as it was written"

    @property
    def is_genuine(self) -> bool:
        """Whether all was as it was written."""
        return not self.faults


class Survey(models.Model):
    """What of an app is due, is held and will be due, as it was last counted: too long a count for a scrape."""

    app = models.OneToOneField(App, models.CASCADE, primary_key=True, related_name="survey")
    due = models.PositiveBigIntegerField()  # rows; of a large number, at least so many
    held = models.PositiveBigIntegerField()  # that would be due, did a legal hold not keep them
    due_tomorrow = models.PositiveBigIntegerField()  # that become due within a day
    overdue_since = models.DateTimeField(null=True)  # when the oldest of those that are due became so
    taken_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.app_id}: {self.due} due"


class PurgeTally(models.Model):
    """A number that only grows, over all runs of the purge."""

    name = models.CharField(max_length=32, primary_key=True)
    number = models.FloatField()

    def __str__(self) -> str:
        return f"{self.name}: {self.number:g}"
