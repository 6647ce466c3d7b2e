"""Conversations: what was said between one app and one contact."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Greatest

from contacts.models import Contact
from projects.clock import EPOCH
from projects.fields import PublicIdField
from projects.models import App, Project, channel_choices


class ConversationQuerySet(models.QuerySet["Conversation"]):
    """Conversations, by whether they go on."""

    def active(self) -> ConversationQuerySet:
        """Not stopped; at most one for an app and a contact."""
        return self.filter(stopped_at=None)

    def served_in(self, project_id: Any) -> ConversationQuerySet:
        """The project's, those of deleted apps excepted."""
        return self.filter(project=project_id, app__deleted_at=None)


class Conversation(models.Model):
    """Groups the messages between one app and one contact."""

    id = PublicIdField()
    # Composite foreign keys hold these three in one project.
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="+", editable=False, db_index=False, db_constraint=False
    )
    app = models.ForeignKey(
        App, models.CASCADE, related_name="conversations", db_index=False, db_constraint=False
    )
    contact = models.ForeignKey(  # null once it was deleted: its conversations follow the app's retention
        Contact, models.SET_NULL, null=True, related_name="conversations", db_index=False, db_constraint=False
    )
    active_channel = models.CharField(max_length=16, choices=channel_choices, blank=True)
    metadata = models.CharField(max_length=1024, blank=True)
    metadata_json = models.JSONField(default=dict, blank=True)
    correlation_id = models.CharField(max_length=128, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    # Of the newest message stored now, and of the newest ever stored: null when there is, or was, none.
    newest_accept_time = models.DateTimeField(null=True, editable=False)
    newest_ever_accept_time = models.DateTimeField(null=True, editable=False)
    # Whose age decides under CONVERSATION_EXPIRE_POLICY. An empty conversation is as old as its creation, or as
    # the newest message it ever held.
    expiry_anchor = models.GeneratedField(
        expression=Coalesce("newest_accept_time", Greatest("created_at", "newest_ever_accept_time")),
        output_field=models.DateTimeField(),
        db_persist=True,
    )

    objects = ConversationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["id", "app"], name="conversation_is_in_one_app"),
            models.UniqueConstraint(
                fields=["app", "contact"],
                condition=Q(stopped_at=None),
                name="conversation_is_one_active_per_app_and_contact",
                violation_error_message="This app and contact already have an active conversation.",
            ),
            models.CheckConstraint(
                condition=Q(contact__isnull=False) | Q(stopped_at__isnull=False),
                name="conversation_without_contact_is_stopped",
            ),
        ]
        indexes = [
            models.Index(fields=["app", "expiry_anchor"], name="conversation_expiring"),  # the purge
            models.Index(fields=["app", "-id"], name="conversation_of_app"),  # the API's list
            models.Index(fields=["contact", "-id"], name="conversation_of_contact"),  # the API's list
        ]

    def __str__(self) -> str:
        return f"{self.app} with {self.contact or 'a deleted contact'}"

    @property
    def is_active(self) -> bool:
        """Whether the next message joins it."""
        return self.stopped_at is None

    @property
    def last_received(self) -> datetime:
        """Accept time of the newest stored message; 1970 when there is none."""
        return self.newest_accept_time or EPOCH
