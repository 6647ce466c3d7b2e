"""Purges that somebody had run ahead of the clock."""

from __future__ import annotations

from django.db import models
from django.db.models.lookups import GreaterThan
from django.utils.formats import localize

from projects.models import App
from retention.permanence import APPEND_ONLY
from retention.trimming import trimmed_length


class PurgeOverride(models.Model):
    """Somebody had the purge run at a moment that the clock had not reached. Never changed."""

    id = models.BigAutoField(primary_key=True)
    why = models.TextField()
    moment = models.DateTimeField()  # what the purge took for the time
    app = models.ForeignKey(App, models.PROTECT, null=True, related_name="+")  # null: all apps
    run_by = models.CharField(max_length=255)  # the operating system's user
    run_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=GreaterThan(trimmed_length("why"), 0), name="purge_override_has_a_reason"
            )
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"as of {localize(self.moment)}: {self.why}"
