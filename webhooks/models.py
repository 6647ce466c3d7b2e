"""Webhooks, the events they listen to, and what became of each delivery."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from gateway.addresses import LONGEST_URL, ForbiddenTarget, check_url, default_guard
from projects.fields import PublicIdField, SecretField, ULIDField
from projects.models import App, Project
from projects.trail import audited
from webhooks import triggers

# Characters: wire contract, "Webhook".
LONGEST_CLIENT_ID = 255
LONGEST_SCOPE = 1024
LONGEST_RESPONSE_TYPE = 64


def may_be_called(url: str) -> None:
    """Refuse a URL that requests may not go to. Raises ValidationError."""
    try:
        check_url(url, default_guard())
    except ForbiddenTarget as error:
        raise ValidationError(str(error), code="forbidden_target") from error


class TargetType(models.TextChoices):
    """Whether events are sent."""

    HTTP = "HTTP", "HTTP: events are POSTed to the target"
    DISMISS = "DISMISS", "DISMISS: events are recorded and not sent"


class TokenRequestType(models.TextChoices):
    """Where the client id and secret stand in a token request."""

    BASIC = "BASIC"
    FORM = "FORM"


class WebhookQuerySet(models.QuerySet["Webhook"]):
    """Webhooks, by whose they are and what they listen to."""

    def of_project(self, project_id: object) -> WebhookQuerySet:
        """Those of the project's living apps."""
        return self.filter(project=project_id, app__deleted_at=None)

    def called(self) -> WebhookQuerySet:
        """Those whose events are sent now: of a living app, not dismissing, not switched off."""
        return self.filter(app__deleted_at=None, target_type=TargetType.HTTP, disabled_at=None)

    def listening(self, app: App, trigger: triggers.Trigger) -> WebhookQuerySet:
        """Those of the app that want this trigger and have not been switched off."""
        return self.filter(app=app, triggers__contains=[trigger], disabled_at=None)

    def listening_in(self, project_id: object, trigger: triggers.Trigger) -> WebhookQuerySet:
        """Those of all the project's apps: contact triggers belong to the project."""
        return self.of_project(project_id).filter(triggers__contains=[trigger], disabled_at=None)


@audited(hidden=["secret", "client_secret"])
class Webhook(models.Model):
    """A URL that gets an app's events."""

    id = PublicIdField()
    project = models.ForeignKey(Project, models.CASCADE, related_name="+", editable=False)
    app = models.ForeignKey(
        App, models.CASCADE, related_name="webhooks", db_constraint=False
    )  # composite instead
    target = models.CharField(max_length=LONGEST_URL, validators=[may_be_called])
    target_type = models.CharField(max_length=8, choices=TargetType.choices, default=TargetType.HTTP)
    secret = SecretField(help_text="Signs the callbacks. Empty: they are not signed.")
    triggers = ArrayField(models.CharField(max_length=64, choices=triggers.choices), default=list, blank=True)
    # OAuth2 client credentials of the receiver; empty when it asks for none.
    client_id = models.CharField(max_length=LONGEST_CLIENT_ID, blank=True)
    client_secret = SecretField()
    token_endpoint = models.CharField(max_length=LONGEST_URL, blank=True, validators=[may_be_called])
    token_scope = models.CharField(max_length=LONGEST_SCOPE, blank=True)
    token_response_type = models.CharField(max_length=LONGEST_RESPONSE_TYPE, blank=True)
    token_request_type = models.CharField(
        max_length=8, choices=TokenRequestType.choices, default=TokenRequestType.BASIC
    )
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    disabled_reason = models.CharField(max_length=255, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["app", "target"],
                name="webhook_target_is_unique_in_the_app",
                violation_error_message="Another webhook of this app already has this target.",
            ),
            models.CheckConstraint(
                condition=Q(target_type__in=TargetType.values), name="webhook_target_type_is_known"
            ),
            models.CheckConstraint(condition=~Q(target=""), name="webhook_has_a_target"),
            models.CheckConstraint(
                condition=Q(token_request_type__in=TokenRequestType.values),
                name="webhook_token_request_type_is_known",
            ),
            models.CheckConstraint(
                condition=Q(client_id="", token_endpoint="") | (~Q(client_id="") & ~Q(token_endpoint="")),
                name="webhook_client_credentials_are_whole",
                violation_error_message="client_credentials need client_id, client_secret and endpoint.",
            ),
        ]

    def __str__(self) -> str:
        return self.target


class OfMessage(models.Model):
    """A satellite of a message: it goes with it, found without a join and held by no foreign key."""

    # No constraint: an app's row is never deleted, and this is written with every message.
    app = models.ForeignKey(App, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    message_id = ULIDField(null=True)  # null: of no message
    accept_time = models.DateTimeField()  # the message's own

    class Meta:
        abstract = True


# Of a delivery: a webhook, or the callback_url that a message brought.
TO_ONE_RECEIVER = Q(webhook__isnull=False, callback_url="") | (Q(webhook=None) & ~Q(callback_url=""))


class Event(OfMessage):
    """Something that happened, in the exact bytes that are signed and sent."""

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
                fields=["message_id"], name="event_of_message", condition=Q(message_id__isnull=False)
            ),
            models.Index(fields=["created_at"], name="event_by_age"),  # bodies are kept 14 days at most
        ]

    def __str__(self) -> str:
        return f"{self.trigger} {self.id}"


class Attempt(OfMessage):
    """One try to deliver an event, to a webhook or to the callback_url of its message."""

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
    number = models.PositiveIntegerField()
    result = models.CharField(max_length=16, choices=Result.choices)
    status_code = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=32, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    response_body = models.BinaryField(default=b"")

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
            BrinIndex(fields=["started_at"], name="attempt_by_age"),  # kept 30 days; rows stand in this order
        ]

    def __str__(self) -> str:
        return f"{self.event_id} #{self.number} {self.result}"


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
