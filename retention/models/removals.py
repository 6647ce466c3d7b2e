"""Contacts that somebody deleted or merged away: that they were here, and who let them go."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from projects.fields import ULIDField
from projects.models import Project
from retention.permanence import APPEND_ONLY


class ContactRemoval(models.Model):
    """A contact that is gone, for another reason than its own request. It names nobody. Never changed."""

    contact_id = ULIDField(primary_key=True)  # no foreign key: it is what went
    project = models.ForeignKey(Project, models.PROTECT, related_name="contact_removals")
    merged_into_id = ULIDField(null=True)  # the contact that has what it had; null: it was deleted
    identities = models.PositiveIntegerField()  # that went with it, or moved
    removed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    removed_by_key = ULIDField(null=True)  # by API
    removed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(removed_by=None) | Q(removed_by_key=None), name="contact_removal_is_by_one"
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"contact {self.contact_id}"
