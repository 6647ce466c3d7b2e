"""Replays: events that a webhook gets once more, because a person or a client asked for it."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from projects.fields import PublicIdField, ULIDField
from webhooks import triggers
from webhooks.models.webhooks import Webhook

FASTEST = 100  # deliveries a second


class ReplayQuerySet(models.QuerySet["Replay"]):
    """Replays, by what is left of them to do."""

    def running(self) -> ReplayQuerySet:
        """Those that still send, or will."""
        return self.filter(state=Replay.State.RUNNING)


class Replay(models.Model):
    """A job: one event, or all of a span of time, delivered to a webhook again.

    Its lane in the outbox is its own, so live deliveries never stand behind it.
    """

    class State(models.TextChoices):
        """How far it has come."""

        RUNNING = "RUNNING"
        FINISHED = "FINISHED"
        CANCELLED = "CANCELLED"

    id = PublicIdField()
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="replays")
    event_id = ULIDField(null=True)  # null: all events of the span
    start_time = models.DateTimeField()  # of events' making, inclusive
    end_time = models.DateTimeField()  # exclusive
    trigger = models.CharField(max_length=64, choices=triggers.choices, blank=True)  # empty: all of them
    only_failed = models.BooleanField(default=False)
    per_second = models.PositiveSmallIntegerField(
        default=10, validators=[MinValueValidator(1), MaxValueValidator(FASTEST)]
    )
    state = models.CharField(max_length=16, choices=State.choices, default=State.RUNNING)
    count = models.PositiveIntegerField()  # events, when it was asked for
    queued = models.PositiveIntegerField(default=0)  # of them, so far
    is_queued = models.BooleanField(default=False)  # all of them
    cursor = models.TextField(blank=True)  # the page of events that comes next
    asked_by = models.CharField(max_length=150)  # a user's name, or a key's id
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = ReplayQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(start_time__lt=models.F("end_time")), name="replay_starts_before_it_ends",
                violation_error_message="start_time must be before end_time.",
            ),
            models.CheckConstraint(
                condition=Q(per_second__gte=1, per_second__lte=FASTEST), name="replay_keeps_to_a_rate"
            ),
            models.CheckConstraint(
                condition=Q(state="RUNNING", ended_at=None) | ~Q(state="RUNNING") & Q(ended_at__isnull=False),
                name="replay_runs_or_has_ended",
            ),
            models.UniqueConstraint(
                fields=["webhook"], condition=Q(state="RUNNING", event_id=None),
                name="replay_of_a_span_is_one_at_a_time",
                violation_error_message="A replay of this webhook is still running.",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["webhook", "-asked_at"], name="replay_of_webhook"),  # the log's page
            models.Index(fields=["id"], name="replay_running", condition=Q(state="RUNNING")),  # the clock
        ]

    def __str__(self) -> str:
        return f"Replay {self.pk}"
