"""Contacts, how each channel knows them, and what they consent to."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from gateway.channels.base import APP_SCOPED, SAME_NUMBER
from projects.fields import PublicIdField
from projects.models import App, Project, channel_choices


def language_choices() -> list[tuple[str, str]]:
    """The contract's languages; a function, so that a new one makes no migration."""
    return [(language, language) for language in LANGUAGES]


# wire contract 3.3
LANGUAGES = (  # noqa: SIM905 - a column of words reads worse
    "UNSPECIFIED AF SQ AR AZ BN BG CA ZH ZH_CN ZH_HK ZH_TW HR CS DA NL EN EN_GB EN_US ET FIL FI FR DE EL GU HA HE "
    "HI HU ID GA IT JA KN KK KO LO LV LT MK MS ML MR NB FA PL PT PT_BR PT_PT PA RO RU SR SK SL ES ES_AR ES_ES "
    "ES_MX SW SV TA TE TH TR UK UR UZ VI ZU"
).split()


class Contact(models.Model):
    """A person: a collection of channel identities, shared by all the project's apps."""

    id = PublicIdField()
    project = models.ForeignKey(Project, models.CASCADE, related_name="contacts")
    display_name = models.CharField(max_length=255, blank=True)
    email = models.CharField(max_length=320, blank=True)
    external_id = models.CharField(max_length=255, blank=True)
    language = models.CharField(max_length=16, choices=language_choices, default="UNSPECIFIED")
    # Counted in code points, by PostgreSQL too: key concepts, "metadata".
    metadata = models.CharField(max_length=1024, blank=True)
    channel_priority = ArrayField(
        models.CharField(max_length=16, choices=channel_choices), default=list, blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["id", "project"], name="contact_is_in_one_project"),
        ]
        indexes = [
            models.Index(fields=["project", "id"], name="contact_of_project"),  # the API's list
            models.Index(  # the API's list by external_id
                fields=["project", "external_id"], name="contact_by_external_id", condition=~Q(external_id="")
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or "Unknown"


class ChannelIdentity(models.Model):
    """How a contact is known on one channel; in one app alone where the channel scopes identities to apps."""

    id = models.BigAutoField(primary_key=True)
    # Composite foreign keys hold contact, app and project together.
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="identities", db_constraint=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="+", editable=False, db_index=False)
    channel = models.CharField(max_length=16, choices=channel_choices)
    identity = models.CharField(max_length=255)
    app = models.ForeignKey(App, models.CASCADE, null=True, blank=True, related_name="+", db_constraint=False)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["contact", "position", "id"]  # the order the client gave
        verbose_name_plural = "channel identities"
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "channel", "identity", "app"],
                name="identity_is_listed_once",
                nulls_distinct=False,
                violation_error_message="This contact already has this identity.",
            ),
            models.CheckConstraint(condition=~Q(identity=""), name="identity_is_not_empty"),
            models.CheckConstraint(
                condition=Q(channel__in=sorted(APP_SCOPED), app__isnull=False)
                | (~Q(channel__in=sorted(APP_SCOPED)) & Q(app__isnull=True)),
                name="identity_has_an_app_where_the_channel_scopes_it",
                violation_error_message=(
                    "app_id is needed on MESSENGER, VIBER, INSTAGRAM, LINE and WECHAT, and on no other channel."
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["project", "channel", "identity"], name="identity_by_value"),  # resolving
            models.Index(  # identity conflicts
                fields=["project", "identity", "contact"],
                name="identity_by_number",
                condition=Q(channel__in=sorted(SAME_NUMBER)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.identity}"

    def clean(self) -> None:
        """Speak at the form for what the form leaves out."""
        self.validate_constraints(exclude={"project", "contact"})


class ConsentList(models.TextChoices):
    """What a person no longer wants."""

    OPT_OUT_ALL = "OPT_OUT_ALL"
    OPT_OUT_MARKETING = "OPT_OUT_MARKETING"
    OPT_OUT_NOTIFICATION = "OPT_OUT_NOTIFICATION"


class Consent(models.Model):
    """An identity that stands on one of an app's opt-out lists."""

    id = models.BigAutoField(primary_key=True)
    app = models.ForeignKey(App, models.CASCADE, related_name="consents")
    channel = models.CharField(max_length=16, choices=channel_choices)
    identity = models.CharField(max_length=255)
    list_type = models.CharField(max_length=32, choices=ConsentList.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["app", "identity", "channel", "list_type"], name="consent_is_listed_once"
            ),
            models.CheckConstraint(
                condition=Q(list_type__in=ConsentList.values), name="consent_list_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.identity} {self.list_type}"


class ConsentRecord(models.Model):
    """One change of a list: by whom and when."""

    class Origin(models.TextChoices):
        """Who asked for it."""

        ORIGIN_API = "ORIGIN_API"
        ORIGIN_MO = "ORIGIN_MO"  # the person, by a message

    class Operation(models.TextChoices):
        """What was done to the list."""

        OPERATION_INSERT = "OPERATION_INSERT"
        OPERATION_UPDATE = "OPERATION_UPDATE"
        OPERATION_DELETE = "OPERATION_DELETE"

    id = models.BigAutoField(primary_key=True)
    app = models.ForeignKey(App, models.CASCADE, related_name="+")
    channel = models.CharField(max_length=16, choices=channel_choices)
    identity = models.CharField(max_length=255)
    list_type = models.CharField(max_length=32, choices=ConsentList.choices)
    origin = models.CharField(max_length=16, choices=Origin.choices)
    operation = models.CharField(max_length=20, choices=Operation.choices)
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["app", "identity", "recorded_at"], name="consent_record_of_identity"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.identity} {self.list_type}"


class ContactSettings(models.Model):
    """How a project treats its contacts. A project without a row has never set anything."""

    project = models.OneToOneField(Project, models.CASCADE, primary_key=True, related_name="+")
    unified_contact_id_enabled = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"contact settings of {self.project}"
