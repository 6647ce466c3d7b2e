"""Legal holds: what must not be deleted whatever the policy says, until somebody releases it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pgtrigger
from django.conf import settings
from django.core.validators import ProhibitNullCharactersValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import GreaterThan

from projects.fields import PublicIdField, ULIDField
from projects.models import App, Project
from retention.permanence import APPEND_ONLY
from retention.trimming import trimmed_length

RELEASED_BY_ANOTHER: Final = """
    SELECT hold.placed_at, hold.placed_by_id, project.demands_four_eyes INTO placed
    FROM retention_legalhold AS hold JOIN projects_project AS project ON project.id = hold.project_id
    WHERE hold.id = NEW.hold_id;
    IF NEW.released_at < placed.placed_at THEN
        RAISE EXCEPTION 'pgtrigger: Cannot release a hold before it is placed';
    END IF;
    IF placed.demands_four_eyes AND (NEW.released_by_id IS NULL OR NEW.released_by_id = placed.placed_by_id) THEN
        RAISE EXCEPTION 'pgtrigger: Cannot release a hold without a second person';
    END IF;
    RETURN NEW;
"""


class HoldScope(models.TextChoices):
    """What a hold covers."""

    PROJECT = "PROJECT", "All messages of the project"
    APP = "APP", "All messages of an app"
    CONTACT = "CONTACT", "A contact's conversations, with every app"
    CONVERSATION = "CONVERSATION", "A conversation"


class LegalHoldQuerySet(models.QuerySet["LegalHold"]):
    """Holds, by whether they are still in force and over what."""

    def active(self) -> LegalHoldQuerySet:
        """Not released."""
        return self.filter(release=None)

    def over(self, apps: Iterable[App]) -> LegalHoldQuerySet:
        """Those that keep something of one of these apps: a contact talks with every app of its project."""
        apps = list(apps)
        in_projects = Q(scope__in=[HoldScope.PROJECT, HoldScope.CONTACT])
        return self.filter(
            Q(in_projects, project__in={app.project_id for app in apps})
            | Q(~in_projects, app__in=[app.pk for app in apps])
        )


class LegalHold(models.Model):
    """What it covers stays, although it is due or somebody asks for its deletion. Never changed."""

    id = PublicIdField()
    project = models.ForeignKey(Project, models.PROTECT, related_name="legal_holds", editable=False)
    scope = models.CharField(max_length=12, choices=HoldScope.choices)
    app = models.ForeignKey(App, models.PROTECT, null=True, related_name="legal_holds")
    # No foreign keys: once the hold is released these may go, and the hold stays on record.
    contact_id = ULIDField(null=True)
    conversation_id = ULIDField(null=True)
    # Of the messages that it covers: from the first moment on, and before the second; null: without end.
    accept_from = models.DateTimeField(null=True, blank=True)
    accept_until = models.DateTimeField(null=True, blank=True)
    matter = models.CharField(
        max_length=255,
        validators=[ProhibitNullCharactersValidator()],
        help_text="The case, claim or order, as your lawyers call it.",
    )
    text = models.TextField(
        max_length=4000,
        blank=True,
        validators=[ProhibitNullCharactersValidator()],
        help_text="What is at stake, and who asked for the hold.",
    )
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    placed_by_key = ULIDField(null=True, editable=False)  # by API
    placed_at = models.DateTimeField(editable=False)

    objects = LegalHoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(scope=HoldScope.PROJECT, app=None, contact_id=None, conversation_id=None)
                | Q(scope=HoldScope.APP, app__isnull=False, contact_id=None, conversation_id=None)
                | Q(scope=HoldScope.CONTACT, app=None, contact_id__isnull=False, conversation_id=None)
                | Q(
                    scope=HoldScope.CONVERSATION,
                    app__isnull=False,
                    contact_id=None,
                    conversation_id__isnull=False,
                ),
                name="hold_names_what_it_covers",
            ),
            models.CheckConstraint(
                condition=GreaterThan(trimmed_length("matter"), 0),
                name="hold_has_a_matter",
                violation_error_message="Name the matter that the hold is for.",
            ),
            models.CheckConstraint(
                condition=Q(accept_until__gt=F("accept_from")) | Q(accept_from=None) | Q(accept_until=None),
                name="hold_ends_after_it_begins",
                violation_error_message="The end of the period must be after its beginning.",
            ),
        ]
        indexes = [
            models.Index(fields=["contact_id"], name="hold_of_contact", condition=Q(scope="CONTACT")),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.matter}: {self.get_scope_display()}"

    @property
    def is_active(self) -> bool:
        """Whether it still holds."""
        return not hasattr(self, "release")


class LegalHoldRelease(models.Model):
    """The end of a hold. Never changed."""

    id = PublicIdField()
    hold = models.OneToOneField(LegalHold, models.PROTECT, related_name="release")
    text = models.TextField(
        max_length=4000,
        validators=[ProhibitNullCharactersValidator()],
        help_text="Why it may end, and who said so.",
    )
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    released_by_key = ULIDField(null=True, editable=False)  # by API
    released_at = models.DateTimeField(editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=GreaterThan(trimmed_length("text"), 0),
                name="release_has_a_reason",
                violation_error_message="Say why the hold may end.",
            )
        ]
        triggers = [
            *APPEND_ONLY,
            pgtrigger.Trigger(
                name="released_by_another",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("placed", "RECORD")],
                func=RELEASED_BY_ANOTHER,
            ),
        ]

    def __str__(self) -> str:
        return f"Released: {self.hold}"
