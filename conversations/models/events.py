"""What app and contact do beside writing: typing, joining, reacting; and what is asked about a channel."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from conversations.models.conversations import Conversation
from conversations.models.messages import UNSETTLED, Direction, Status
from projects.fields import PublicIdField, ULIDField
from projects.models import App, ChannelCredential, ProcessingMode, Project, channel_choices


class ConversationEventQuerySet(models.QuerySet["ConversationEvent"]):
    """Events, by who may read them."""

    def served_in(self, project_id: Any) -> ConversationEventQuerySet:
        """The project's, those of deleted apps excepted, each with its conversation."""
        return self.filter(project=project_id, app__deleted_at=None).select_related("conversation")


class ConversationEvent(models.Model):
    """Something that an app or a contact did other than writing.

    `content` has one key: the contract's app_event (to the contact), contact_event or contact_message_event (to
    the app).
    """

    id = PublicIdField()
    # Composite foreign keys hold these three together, as they do a message's.
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    app = models.ForeignKey(App, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    conversation = models.ForeignKey(  # null in DISPATCH, where an event stands alone
        Conversation, models.CASCADE, null=True, related_name="events", db_index=False, db_constraint=False
    )
    direction = models.CharField(max_length=10, choices=Direction.choices)
    content = models.JSONField()
    accept_time = models.DateTimeField()
    processing_mode = models.CharField(max_length=16, choices=ProcessingMode.choices)
    # The channel identity that it goes to, or that it came from; "" before one is known.
    channel = models.CharField(max_length=16, choices=channel_choices, blank=True)
    identity = models.CharField(max_length=255, blank=True)
    credential_id = ULIDField(null=True)  # no foreign key: a credential may go, its events stay
    channel_event_id = models.CharField(max_length=255, blank=True)  # the channel's own
    callback_url = models.CharField(max_length=742, blank=True)
    # Told in reports and kept no longer than they take: `events.settling`.
    metadata = models.CharField(max_length=1024, blank=True)
    status = models.CharField(max_length=20, choices=Status.choices, blank=True)  # "": never sent

    objects = ConversationEventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(  # receiving: seen before? and whose receipt is this?
                fields=["credential_id", "channel_event_id", "direction"],
                condition=~Q(channel_event_id=""),
                name="event_is_received_once",
            ),
            models.CheckConstraint(
                condition=Q(processing_mode=ProcessingMode.CONVERSATION, conversation__isnull=False)
                | Q(processing_mode=ProcessingMode.DISPATCH, conversation__isnull=True),
                name="event_has_a_conversation_unless_dispatched",
            ),
            models.CheckConstraint(
                condition=Q(direction=Direction.TO_APP, status="", metadata="", callback_url="")
                | Q(direction=Direction.TO_CONTACT),
                name="event_to_an_app_has_no_status",
            ),
        ]
        indexes = [
            models.Index(fields=["app", "accept_time", "id"], name="talk_event_of_app"),  # the purge
            models.Index(  # the purge, as with messages
                fields=["app", "accept_time"],
                name="talk_event_dispatched",
                condition=Q(processing_mode=ProcessingMode.DISPATCH),
            ),
            models.Index(
                fields=["conversation", "-accept_time", "-id"], name="talk_event_of_conversation"
            ),  # list, purge
            models.Index(  # settling.forget
                fields=["accept_time"], name="talk_event_with_metadata", condition=~Q(metadata="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.id}"

    @property
    def contact_id(self) -> str:
        """The contact's id; empty where the event was dispatched alone or the contact is gone."""
        return (self.conversation.contact_id or "") if self.conversation else ""

    @property
    def is_unsettled(self) -> bool:
        """Whether a report is still awaited."""
        return self.status in UNSETTLED


class CapabilityQuery(models.Model):
    """A question to a channel: what can this identity receive? Gone once it is answered."""

    id = PublicIdField()
    credential = models.ForeignKey(ChannelCredential, models.CASCADE, related_name="+")
    request_id = models.CharField(max_length=255)
    contact_id = ULIDField(null=True)  # no foreign key: it is only told
    identity = models.CharField(max_length=255)
    asked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.request_id}: {self.identity}"
