"""Messages, their route, and what became of each."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from contacts.consents import ContentType
from conversations.models.conversations import Conversation
from projects.fields import PublicIdField, ULIDField
from projects.models import App, ChannelCredential, ProcessingMode, Project, channel_choices
from webhooks.models import OfMessage


class Direction(models.TextChoices):
    """Which way a message goes."""

    TO_APP = "TO_APP"
    TO_CONTACT = "TO_CONTACT"


class Status(models.TextChoices):
    """What became of a message. ACCEPTED is our own: it is never told."""

    ACCEPTED = "ACCEPTED"
    QUEUED_ON_CHANNEL = "QUEUED_ON_CHANNEL"
    SWITCHING_CHANNEL = "SWITCHING_CHANNEL"
    DELIVERED = "DELIVERED"
    READ = "READ"
    FAILED = "FAILED"


UNSETTLED = (Status.ACCEPTED, Status.QUEUED_ON_CHANNEL, Status.SWITCHING_CHANNEL)


class MessageQuerySet(models.QuerySet["Message"]):
    """Messages, by who may read them."""

    def served_in(self, project_id: Any) -> MessageQuerySet:
        """The project's, those of deleted apps excepted, each with its conversation."""
        return self.filter(project=project_id, app__deleted_at=None).select_related("conversation")

    def of_mode(self, mode: ProcessingMode) -> MessageQuerySet:
        """Those of conversations, or those dispatched alone: two stores to the API."""
        return self.filter(processing_mode=mode)


class Message(models.Model):
    """An individual message, in either direction.

    `content` is the contract's AppMessage (to the contact) or ContactMessage (to the app). Its route stands in
    `Candidate`, what was reported of it in `Receipt`.
    """

    id = PublicIdField()
    # Composite foreign keys hold these three together: a message's app is its conversation's, in one project.
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    app = models.ForeignKey(App, models.CASCADE, related_name="messages", db_index=False, db_constraint=False)
    conversation = models.ForeignKey(  # null in DISPATCH, where a message stands alone
        Conversation, models.CASCADE, null=True, related_name="messages", db_index=False, db_constraint=False
    )
    direction = models.CharField(max_length=10, choices=Direction.choices)
    content = models.JSONField()
    metadata = models.CharField(max_length=1024, blank=True)
    accept_time = models.DateTimeField()
    processing_mode = models.CharField(max_length=16, choices=ProcessingMode.choices)
    injected = models.BooleanField(default=False)
    sender_id = models.CharField(max_length=255, blank=True)
    # The chosen channel identity: the candidate being tried, or the one that wrote.
    channel = models.CharField(max_length=16, choices=channel_choices, blank=True)
    identity = models.CharField(max_length=255, blank=True)
    credential_id = ULIDField(null=True)  # no foreign key: a credential may go, its messages stay
    channel_message_id = models.CharField(
        max_length=255, blank=True
    )  # the channel's own id of an inbound one
    correlation_id = models.CharField(max_length=128, blank=True)
    conversation_metadata = models.JSONField(
        null=True
    )  # of a dispatched one, which has no conversation to keep it
    callback_url = models.CharField(max_length=742, blank=True)
    channel_properties = models.JSONField(default=dict, blank=True)
    is_urgent = models.BooleanField(default=False)
    content_type = models.CharField(max_length=24, default=ContentType.CONTENT_UNKNOWN)
    status = models.CharField(max_length=20, choices=Status.choices, blank=True)  # "" for messages to the app
    reason = models.JSONField(null=True)  # the contract's Reason: of FAILED and SWITCHING_CHANNEL
    status_at = models.DateTimeField(null=True)
    fallback_at = models.DateTimeField(
        null=True
    )  # then the next channel is tried, if nobody has reported on it
    expires_at = models.DateTimeField(null=True)  # its ttl: then it fails, if nobody has reported on it

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["credential_id", "channel_message_id"],
                condition=Q(direction=Direction.TO_APP) & ~Q(channel_message_id=""),
                name="message_is_received_once",
            ),
            models.CheckConstraint(
                condition=Q(processing_mode=ProcessingMode.CONVERSATION, conversation__isnull=False)
                | Q(processing_mode=ProcessingMode.DISPATCH, conversation__isnull=True),
                name="message_has_a_conversation_unless_dispatched",
            ),
            models.CheckConstraint(
                condition=Q(direction=Direction.TO_APP, status="")
                | Q(direction=Direction.TO_CONTACT, injected=False, status__in=Status.values)
                | Q(direction=Direction.TO_CONTACT, injected=True, status=""),
                name="message_to_a_contact_has_a_status",
            ),
        ]
        indexes = [
            models.Index(  # list, purge, lag; what is due is counted, by channel too, in the index alone
                fields=["app", "accept_time", "id"],
                include=["processing_mode", "channel"],
                name="message_of_app",
            ),
            models.Index(  # purge, lag: few are kept, and they are due long before the others
                fields=["app", "accept_time"],
                name="message_dispatched",
                condition=Q(processing_mode=ProcessingMode.DISPATCH),
            ),
            models.Index(
                fields=["conversation", "accept_time"], name="message_of_conversation"
            ),  # list, purge
            models.Index(fields=["project", "-accept_time", "-id"], name="message_of_project"),  # list
            models.Index(
                fields=["project", "identity", "-accept_time"], name="message_of_identity"
            ),  # fetch-last
            models.Index(  # statuses.fall_back
                fields=["fallback_at"],
                name="message_awaiting_fallback",
                condition=Q(status=Status.QUEUED_ON_CHANNEL, fallback_at__isnull=False),
            ),
            models.Index(  # statuses.time_out
                fields=["expires_at"], name="message_awaiting_report", condition=Q(status__in=UNSETTLED)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.id}"

    @property
    def is_unsettled(self) -> bool:
        """Whether a receipt is still awaited."""
        return self.status in UNSETTLED


class Candidate(OfMessage):
    """One channel on a message's route: the routing trace, in the order in which they are tried."""

    class Level(models.TextChoices):
        """Which of the three priorities put it there."""

        MESSAGE = "MESSAGE"
        CONTACT = "CONTACT"
        APP = "APP"

    class Verdict(models.TextChoices):
        """What the router, and then the channel, said of it."""

        WAITING = "WAITING"  # to be tried
        TRYING = "TRYING"  # handed to the outbox
        TAKEN = "TAKEN"  # the channel took the message
        REFUSED = "REFUSED"  # the channel, or a receipt, said no: see the reason
        NO_CREDENTIAL = "NO_CREDENTIAL"
        NO_IDENTITY = "NO_IDENTITY"
        OPTED_OUT = "OPTED_OUT"

    id = models.BigAutoField(primary_key=True)
    position = models.PositiveSmallIntegerField()
    level = models.CharField(max_length=8, choices=Level.choices)
    channel = models.CharField(max_length=16, choices=channel_choices)
    identity = models.CharField(max_length=255, blank=True)
    credential_id = ULIDField(null=True)
    verdict = models.CharField(max_length=16, choices=Verdict.choices)
    reason = models.JSONField(null=True)
    channel_message_id = models.CharField(max_length=255, blank=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message_id", "position"], name="candidate_has_one_place"),
        ]
        indexes = [
            models.Index(  # receiving: whose receipt is this?
                fields=["credential_id", "channel_message_id"],
                name="candidate_by_channel_id",
                condition=~Q(channel_message_id=""),
            ),
            models.Index(fields=["app", "accept_time"], name="candidate_expiring"),  # the purge
        ]

    def __str__(self) -> str:
        return f"{self.position + 1}. {self.channel}: {self.verdict}"


class Receipt(OfMessage):
    """A status that a message reached, and why: its history."""

    id = models.BigAutoField(primary_key=True)
    status = models.CharField(max_length=20, choices=Status.choices)
    channel = models.CharField(max_length=16, choices=channel_choices, blank=True)
    reason = models.JSONField(null=True)
    occurred_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["message_id", "id"], name="receipt_of_message"),  # the transcript
            models.Index(fields=["app", "accept_time"], name="receipt_expiring"),  # the purge
        ]

    def __str__(self) -> str:
        return f"{self.message_id} {self.status}"


class PendingEcho(OfMessage):
    """A callback that the sandbox will make by itself; its outbox entry says when."""

    id = models.UUIDField(primary_key=True)
    credential = models.ForeignKey(ChannelCredential, models.CASCADE, related_name="+", db_index=False)
    headers = models.JSONField()
    body = models.BinaryField()

    class Meta:
        indexes = [
            models.Index(fields=["app", "accept_time"], name="echo_expiring"),  # the purge
            models.Index(fields=["message_id"], name="echo_of_message"),  # the purge
        ]

    def __str__(self) -> str:
        return f"echo of {self.message_id}"
