"""Who owns what: accounts own projects, projects own apps, apps own channel credentials."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from gateway import channels
from gateway.channels.base import Channel
from projects.fields import PublicIdField, SecretField, SecretJSONField
from projects.mail.mails import Mail as Mail  # noqa: PLC0414 - one more table, to be had from here
from projects.trail import audited


def channel_choices() -> list[tuple[str, str]]:
    """Every channel; a function, so that a new one makes no migration."""
    return [(channel.value, channel.value) for channel in Channel]


@audited(hidden=["password"], unwatched=["last_login"])
class User(AbstractUser):
    """A person who uses the portal. A superuser runs the installation and sees every project."""

    class Meta:
        constraints = []


@audited()
class Account(models.Model):
    """The customer: owns projects, and has an account manager on the operator's side."""

    id = PublicIdField()
    name = models.CharField(max_length=200)
    manager_name = models.CharField("account manager", max_length=200, blank=True)
    manager_email = models.EmailField("account manager's e-mail", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


@audited()
class Project(models.Model):
    """The root container: every other resource is grouped under one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="projects")
    name = models.CharField(max_length=200)
    demands_four_eyes = models.BooleanField(
        "four eyes",
        default=False,
        help_text="A second person approves destructive retention changes and releases of legal holds.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a member may do in the portal."""

    ADMIN = "ADMIN", "Admin: everything"
    OPERATOR = "OPERATOR", "Operator: everything but users and keys"
    COMPLIANCE = "COMPLIANCE", "Compliance: retention, holds, ledger and inbox; reads the rest"
    VIEWER = "VIEWER", "Viewer: reads"


@audited()
class Membership(models.Model):
    """Who may do what in a project."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "user"],
                name="membership_is_one_per_person",
                violation_error_message="This person is already a member of the project.",
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.project} ({self.role})"


class AppQuerySet(models.QuerySet["App"]):
    """Apps, by whether they still live."""

    def living(self) -> Self:
        """Not deleted: a deleted app only waits for the purge of what it kept."""
        return self.filter(deleted_at=None)


class ReportView(models.TextChoices):
    """How much of a conversation's metadata goes into callbacks."""

    NONE = "NONE"
    FULL = "FULL"


class ProcessingMode(models.TextChoices):
    """Whether messages belong to contacts and conversations, or stand alone."""

    CONVERSATION = "CONVERSATION"
    DISPATCH = "DISPATCH"


def default_processing_mode() -> str:
    """The installation's choice for apps created without one."""
    return str(settings.DEFAULT_PROCESSING_MODE)


@audited(hidden=["callback_secret"])
class App(models.Model):
    """What an API user talks through: holds credentials, webhooks, a retention policy, conversations.

    Its retention policy stands in its own append-only table: nothing here can disagree with it.
    """

    id = PublicIdField()
    project = models.ForeignKey(Project, models.PROTECT, related_name="apps")
    display_name = models.CharField(max_length=255)
    conversation_metadata_report_view = models.CharField(
        max_length=8, choices=ReportView.choices, default=ReportView.NONE
    )
    processing_mode = models.CharField(
        max_length=16, choices=ProcessingMode.choices, default=default_processing_mode
    )
    smart_conversation = models.BooleanField(default=False)
    callback_secret = SecretField(help_text="Signs callbacks that go to a request's own callback_url.")
    retry_duration = models.PositiveIntegerField(  # seconds
        default=3600, validators=[MinValueValidator(30), MaxValueValidator(3600)]
    )
    fallback_enabled = models.BooleanField(default=False)
    fallback_waiting_time = models.PositiveIntegerField(default=0)  # seconds without a delivery report
    announces_expiry = models.BooleanField(
        "announce expired conversations",
        default=True,
        help_text="CONVERSATION_DELETE for each conversation that the retention policy takes. What a client deletes "
        "is always announced.",
    )
    # A second: set by an operator in the portal, shown by the API.
    inbound_rate = models.PositiveIntegerField(default=1000)
    outbound_rate = models.PositiveIntegerField(default=1000)
    webhook_rate = models.PositiveIntegerField(default=1000)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = AppQuerySet.as_manager()

    class Meta:
        constraints = [
            # What composite foreign keys of the rooms above point at.
            models.UniqueConstraint(fields=["id", "project"], name="app_is_in_one_project"),
            models.CheckConstraint(condition=~Q(display_name=""), name="app_has_a_name"),
            models.CheckConstraint(
                condition=Q(conversation_metadata_report_view__in=ReportView.values),
                name="app_report_view_is_known",
            ),
            models.CheckConstraint(
                condition=Q(processing_mode__in=ProcessingMode.values), name="app_processing_mode_is_known"
            ),
            models.CheckConstraint(
                condition=Q(retry_duration__range=(30, 3600)),
                name="app_retry_duration_is_30_to_3600",
                violation_error_message="retry_duration is 30 to 3600 seconds.",
            ),
            models.CheckConstraint(
                condition=Q(fallback_waiting_time=0) | Q(fallback_waiting_time__range=(10, 259_200)),
                name="app_fallback_waiting_time_is_10_to_259200",
                violation_error_message="delivery_report_waiting_time is 10 to 259200 seconds.",
            ),
            models.CheckConstraint(
                condition=Q(fallback_enabled=False) | Q(fallback_waiting_time__gt=0),
                name="app_fallback_knows_how_long_to_wait",
                violation_error_message="delivery_report_waiting_time is needed when the fallback is enabled.",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "id"], name="app_of_project"),  # the API's list
        ]

    def __str__(self) -> str:
        return self.display_name


class CredentialStatus(models.TextChoices):
    """Whether a credential works, as far as we know."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    FAILING = "FAILING"


@audited(hidden=["values", "callback_secret"])
class ChannelCredential(models.Model):
    """How an app authenticates against one channel. Their order is the app's channel priority."""

    id = PublicIdField()
    app = models.ForeignKey(App, models.CASCADE, related_name="credentials")
    position = models.PositiveSmallIntegerField(default=0)
    channel = models.CharField(max_length=16, choices=channel_choices)
    ordinal_number = models.IntegerField(default=0)  # LINE alone may have several
    key = models.CharField("credential type", max_length=32)  # the credential object's name on the wire
    values = SecretJSONField()
    callback_secret = SecretField(help_text="Validates the channel's callbacks.")
    status = models.CharField(
        max_length=8, choices=CredentialStatus.choices, default=CredentialStatus.PENDING, editable=False
    )
    status_description = models.CharField(max_length=500, blank=True, editable=False)
    channel_known_id = models.CharField(max_length=255, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["app", "position", "id"]  # the order is the meaning
        constraints = [
            models.UniqueConstraint(
                fields=["app", "position"],
                name="credential_position_is_unique",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.UniqueConstraint(
                fields=["app", "channel", "ordinal_number"],
                name="credential_is_one_per_channel",
                deferrable=models.Deferrable.DEFERRED,
                violation_error_message="This app already has a credential for this channel.",
            ),
        ]

    def __str__(self) -> str:
        return self.channel

    @property
    def callback_url(self) -> str:
        """Where the provider calls."""
        return f"{settings.PUBLIC_URL}/callbacks/{self.channel}/{self.id}"

    def for_adapter(self) -> channels.base.Credential:
        """As the channel's adapter sees it: the secrets opened."""
        channel = Channel(self.channel)
        return channels.base.Credential(
            self.id,
            channel,
            self.values,
            callback_secret=self.callback_secret,
            callback_url=self.callback_url,
            base_url=channels.base_url(channel),
        )

    @property
    def is_sandboxed(self) -> bool:
        """Whether the sandbox answers in the provider's place."""
        return channels.is_sandboxed(Channel(self.channel))


@audited(hidden=["secret_hash"])
class AccessKey(models.Model):
    """A developer's way into one project's API. The secret is shown once; its SHA-256 is kept."""

    id = PublicIdField()
    project = models.ForeignKey(Project, models.CASCADE, related_name="access_keys")
    name = models.CharField(max_length=100, blank=True)
    secret_hash = models.BinaryField(max_length=32, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return self.name or self.id
