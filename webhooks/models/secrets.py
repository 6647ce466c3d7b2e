"""Retired secrets: a webhook's former ones, which go on signing while its receiver learns the new one."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from projects.fields import PublicIdField, SecretField
from projects.trail import audited
from webhooks.models.webhooks import Webhook


class RetiredSecretQuerySet(models.QuerySet["RetiredSecret"]):
    """Retired secrets, by whether they still sign."""

    def live(self) -> RetiredSecretQuerySet:
        """Those whose time is not over."""
        return self.filter(not_after__gt=Now())


@audited(hidden=["secret"])
class RetiredSecret(models.Model):
    """A secret that a webhook had before, until it ends."""

    id = PublicIdField()  # known before the row is written: the secret is sealed for its place
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="retired_secrets")
    number = models.PositiveIntegerField()  # as `Webhook.secret_number` counted it
    secret = SecretField()
    not_after = models.DateTimeField()
    # The oldest live one that leads signs the header that has room for a single signature.
    leads = models.BooleanField(default=True)

    objects = RetiredSecretQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["webhook", "number"], name="retired_secret_is_one_of_its_number"),
            models.CheckConstraint(condition=~Q(secret=""), name="retired_secret_is_one"),
        ]

    def __str__(self) -> str:
        return f"secret {self.number} of {self.webhook_id}"
