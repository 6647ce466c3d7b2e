"""Events: what happened, in the bytes that are sent."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from gateway.addresses import LONGEST_URL
from projects.fields import PublicIdField, ULIDField
from projects.models import App
from webhooks import triggers


class OfMessage(models.Model):
    """A satellite of a message: it goes with it, found without a join and held by no foreign key."""

    # No constraint: an app's row is never deleted, and this is written with every message.
    app = models.ForeignKey(App, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    message_id = ULIDField(null=True)  # null: of no message
    accept_time = models.DateTimeField()  # the message's own

    class Meta:
        abstract = True


class Event(OfMessage):
    """Something that happened, in the exact bytes that are signed and sent. Partitioned by the day of its id."""

    id = PublicIdField()
    trigger = models.CharField(max_length=64, choices=triggers.choices)
    body = models.BinaryField()
    # Given with the message: where the event goes instead of to the app's webhooks.
    callback_url = models.CharField(max_length=LONGEST_URL, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["app", "accept_time"], name="event_expiring"),  # the purge
            models.Index(
                fields=["message_id"], name="event_of_message", condition=models.Q(message_id__isnull=False)
            ),
            models.Index(fields=["created_at"], name="event_by_age"),  # bodies are kept 14 days at most
        ]

    def __str__(self) -> str:
        return f"{self.trigger} {self.id}"
