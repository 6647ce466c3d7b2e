"""The row is the queue: entries wait in lanes, and a lane is held by one dispatcher at a time."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

WIDEST = 64  # tries of one lane at once


class Lane(models.Model):
    """Everything that goes to one receiver: a webhook, a channel credential, …

    One hot row: the only index is that of its key, so every update stays on its page. All its moments are the
    database's clock.
    """

    kind = models.TextField()
    owner = models.UUIDField()
    lease_token = models.BigIntegerField(default=0)  # the fencing token of the latest claim
    lease_until = models.DateTimeField(null=True)  # NULL: nobody holds it
    last_served_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)  # nobody has needed it for long; `sweeping` takes it away
    # How it is served.
    width = models.PositiveSmallIntegerField(db_default=8)  # tries at once
    is_ordered = models.BooleanField(db_default=False)  # one at a time, and nothing before what comes back
    # How its receiver does: health.py.
    paused_until = models.DateTimeField(null=True)
    fail_streak = models.PositiveIntegerField(default=0)
    strain = models.FloatField(db_default=0.0)
    failed_entries = ArrayField(models.BigIntegerField(), db_default=[])
    trips = models.PositiveSmallIntegerField(db_default=0)
    narrowed_to = models.PositiveSmallIntegerField(null=True)
    usual_seconds = models.FloatField(db_default=0.0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "owner"], name="outbox_one_lane_for_an_owner"),
            models.CheckConstraint(
                condition=models.Q(width__gte=1, width__lte=WIDEST), name="outbox_lane_has_a_width"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.owner}"


class Priority(models.IntegerChoices):
    """Within a lane the lower number goes first."""

    URGENT = 0
    NORMAL = 1


class Entry(models.Model):
    """One thing to send. It leaves the table when it is done, so the table stays small.

    Its lane is no foreign key in the database: checking one locks the lane's row for every writer. An entry
    that outlives its lane is never claimed, and `tasks.sweep` takes it away.
    """

    lane = models.ForeignKey(
        Lane, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="entries"
    )
    ref = models.UUIDField()  # what to send, in its owner's words
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    next_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)  # finished ones
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "entries"
        indexes = [
            # claiming.py: the distinct lanes with work, and what is due in each
            models.Index(fields=["lane", "priority", "next_at", "id"], name="outbox_entry_due"),
        ]

    def __str__(self) -> str:
        return f"{self.lane_id}/{self.ref}"
