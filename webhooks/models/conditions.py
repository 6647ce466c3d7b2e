"""Conditions: how each webhook has been doing, kept apart from what was configured."""

from __future__ import annotations

from django.db import models

from projects.fields import ULIDField


class Condition(models.Model):
    """A hot row, written with the attempts: no index but that of its key, no foreign key to check."""

    webhook_id = ULIDField(primary_key=True)
    streak = models.PositiveIntegerField(default=0)  # failures since the last success
    failing_since = models.DateTimeField(null=True)  # the first of them
    failed_at = models.DateTimeField(null=True)  # the latest failure
    succeeded_at = models.DateTimeField(null=True)  # the latest success, to within ten seconds
    refusals = models.PositiveIntegerField(default=0)  # in a row: its target may not be called
    warnings = models.PositiveSmallIntegerField(default=0)  # mails sent about this streak

    def __str__(self) -> str:
        return f"{self.webhook_id}: {self.streak} failures in a row"
