"""Mails: what this server owes people by mail, and whether they got it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models

from projects.fields import PublicIdField

KEPT: Final = timedelta(days=30)


class MailQuerySet(models.QuerySet["Mail"]):
    """Mails, by what became of them."""

    def unsent(self) -> MailQuerySet:
        """On their way, given up, to nobody, or only in the log because no mail server is set."""
        return self.filter(sent_at=None)

    def recent(self, *, now: datetime) -> MailQuerySet:
        """Those that are kept, the newest first."""
        return self.filter(created_at__gte=now - KEPT).order_by("-created_at", "-pk")

    def old(self, *, now: datetime) -> MailQuerySet:
        """Those that nobody will ask for any more."""
        return self.filter(created_at__lt=now - KEPT)


class Mail(models.Model):
    """A text for people who may not be looking at the portal."""

    id = PublicIdField()
    about = models.CharField(max_length=64)  # what it belongs to, such as "webhook disabled"
    recipients = ArrayField(models.EmailField())  # empty: nobody is known who could be told
    subject = models.CharField(max_length=255)
    text = models.TextField()
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["created_at"], name="mail_by_age"),  # the inbox, and kept 30 days
        ]

    def __str__(self) -> str:
        return self.subject
