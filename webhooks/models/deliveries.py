"""Deliveries: every try of one, and those that were given up."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from gateway.addresses import LONGEST_URL
from gateway.http import Timings
from projects.fields import ULIDField
from webhooks.models.events import OfMessage
from webhooks.models.webhooks import Webhook

# Of a delivery: a webhook, or the callback_url that a message brought.
TO_ONE_RECEIVER = Q(webhook__isnull=False, callback_url="") | (Q(webhook=None) & ~Q(callback_url=""))


class Attempt(OfMessage):
    """One try to deliver an event, to a webhook or to the callback_url of its message.

    Partitioned by the day of `started_at`, which is part of the primary key in the database.
    """

    class Result(models.TextChoices):
        """How the try ended."""

        DELIVERED = "DELIVERED"
        RETRYING = "RETRYING"
        GIVEN_UP = "GIVEN_UP"
        DISMISSED = "DISMISSED"  # recorded, never sent

    id = models.BigAutoField(primary_key=True)
    event_id = ULIDField()
    # No constraint: a webhook may go at once, its log goes by age.
    webhook = models.ForeignKey(
        Webhook, models.DO_NOTHING, null=True, related_name="attempts", db_index=False, db_constraint=False
    )
    callback_url = models.CharField(max_length=LONGEST_URL, blank=True)
    replay_id = ULIDField(null=True)  # null: live
    number = models.PositiveIntegerField()
    result = models.CharField(max_length=16, choices=Result.choices)
    status_code = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=32, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    # From the start until the name was known, the connection stood, TLS was agreed and the first byte came;
    # 0: that never was. Null: nothing was sent.
    phases_ms = ArrayField(models.PositiveIntegerField(), null=True)
    response_headers = models.BinaryField(default=b"", db_default=b"")  # lines, as they came
    response_body = models.BinaryField(default=b"")
    signed_with = models.CharField(max_length=64, blank=True)  # numbers of secrets: "3, 2"

    class Meta:
        constraints = [
            models.CheckConstraint(condition=TO_ONE_RECEIVER, name="attempt_went_to_one_receiver"),
        ]
        indexes = [
            models.Index(fields=["webhook", "-started_at"], name="attempt_of_webhook"),  # the delivery log
            models.Index(fields=["event_id"], name="attempt_of_event"),
            models.Index(fields=["app", "accept_time"], name="attempt_expiring"),  # the purge
            models.Index(
                fields=["message_id"], name="attempt_of_message", condition=Q(message_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} #{self.number} {self.result}"

    @property
    def timings(self) -> Timings:
        """As the exchange was measured, to the millisecond."""
        if self.phases_ms is None:
            return Timings()
        return Timings(*(moment / 1000 for moment in (*self.phases_ms, self.duration_ms)))

    @property
    def headers(self) -> dict[str, str]:
        """Those of the answer, by their names in lower case."""
        lines = bytes(self.response_headers).decode("latin-1").split("\n")
        return {name: value for name, colon, value in (line.partition(": ") for line in lines) if colon}


class DeadLetter(OfMessage):
    """An event that its receiver never took."""

    id = models.BigAutoField(primary_key=True)
    event_id = ULIDField()
    webhook = models.ForeignKey(
        Webhook,
        models.DO_NOTHING,
        null=True,
        related_name="dead_letters",
        db_index=False,
        db_constraint=False,
    )
    callback_url = models.CharField(max_length=LONGEST_URL, blank=True)
    reason = models.CharField(max_length=255)
    attempts = models.PositiveIntegerField()
    died_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["webhook", "event_id"], nulls_distinct=False, name="dead_letter_is_one_per_delivery"
            ),
            models.CheckConstraint(condition=TO_ONE_RECEIVER, name="dead_letter_had_one_receiver"),
        ]
        indexes = [
            models.Index(fields=["app", "accept_time"], name="dead_letter_expiring"),  # the purge
            models.Index(
                fields=["message_id"], name="dead_letter_of_message", condition=Q(message_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} for {self.webhook_id or self.callback_url}"
