"""Webhooks: where an app's events go."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from gateway.addresses import LONGEST_URL, ForbiddenTarget, check_url, default_guard
from projects.fields import PublicIdField, SecretField
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

    def dialled(self) -> WebhookQuerySet:
        """Those whose events are to be sent: of a living app, not dismissing."""
        return self.filter(app__deleted_at=None, target_type=TargetType.HTTP)

    def called(self) -> WebhookQuerySet:
        """Those whose events are sent now: and not switched off."""
        return self.dialled().filter(disabled_at=None)

    def listening(self, app: App, trigger: triggers.Trigger) -> WebhookQuerySet:
        """Those of the app that want this trigger. One that is switched off may be sent it later."""
        return self.filter(app=app, triggers__contains=[trigger])

    def listening_in(self, project_id: object, trigger: triggers.Trigger) -> WebhookQuerySet:
        """Those of all the project's apps: contact triggers belong to the project."""
        return self.of_project(project_id).filter(triggers__contains=[trigger])


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
    secret_number = models.PositiveIntegerField(default=1, editable=False)  # counts the secrets it has had
    overlap_ends_at = models.DateTimeField(null=True, editable=False)  # until then retired ones sign too
    is_4xx_final = models.BooleanField(
        "4xx is final",
        default=False,
        help_text="An answer of 4xx gives the event up. Otherwise it is tried again, as after any failure.",
    )
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
