"""What was sent under which key of a client's."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from projects.models import Project
from webhooks.models import OfMessage


class SentOnce(OfMessage):
    """The message that was sent under a key, so that it is sent no second time."""

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    key_hash = models.BinaryField(max_length=32)  # SHA-256
    body_hash = models.BinaryField(max_length=32)  # SHA-256 of the request in one spelling

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "key_hash"], name="key_is_used_once_in_a_project"),
        ]
        indexes = [
            models.Index(fields=["message_id"], name="sent_once_of_message"),  # the purge
            models.Index(fields=["app", "accept_time"], name="sent_once_expiring"),  # the purge
            BrinIndex(
                fields=["accept_time"], name="sent_once_by_age"
            ),  # idempotency.forget; rows stand in this order
        ]

    def __str__(self) -> str:
        return f"key of {self.message_id}"
