"""Templates: messages with blanks, in several languages, of which every version is kept."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from conversations.composing.templating import LATEST, Wording
from projects.models import Project
from projects.trail import audited


class TemplateQuerySet(models.QuerySet["Template"]):
    """Templates, by whose they are."""

    def of_project(self, project_id: Any) -> TemplateQuerySet:
        """The project's."""
        return self.filter(project=project_id)

    def as_listed(self) -> TemplateQuerySet:
        """Each with its current translations, and no old ones."""
        current = TemplateTranslation.objects.filter(position__isnull=False)
        return self.prefetch_related(models.Prefetch("translations", current))


@audited()
class Template(models.Model):
    """A message that is written once and sent often. Its translations are current, or kept as old versions."""

    key = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(Project, models.CASCADE, related_name="templates")
    public_id = models.CharField("id", max_length=64)  # a client may choose it
    description = models.CharField(max_length=1024, blank=True)
    version = models.PositiveIntegerField(default=1)  # counts changes
    default_translation = models.CharField(max_length=35)  # a language that has a current translation
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = TemplateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "public_id"],
                name="template_id_is_unique_in_its_project",
                violation_error_message="The project has a template with this id.",
            ),
        ]

    def __str__(self) -> str:
        return self.description or self.public_id

    @property
    def current(self) -> list[TemplateTranslation]:
        """The translations as the last change left them, in its order."""
        return [translation for translation in self.translations.all() if translation.position is not None]

    @property
    def newest(self) -> list[TemplateTranslation]:
        """Of each language the translation that is listed last."""
        return list({translation.wording.language: translation for translation in self.current}.values())


class TemplateTranslation(models.Model):
    """One version of a template in one language."""

    key = models.BigAutoField(primary_key=True)
    template = models.ForeignKey(Template, models.CASCADE, related_name="translations", db_index=False)
    language_code = models.CharField(max_length=35)
    version = models.CharField(max_length=64)
    message = models.JSONField()  # one of the contract's AppMessage types
    channel_template_overrides = models.JSONField(default=dict)
    variables = models.JSONField(default=list)
    position = models.PositiveSmallIntegerField(null=True)  # null: no longer listed, kept for who names it
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["template", "position", "key"]  # the order the client gave, then what is no longer listed
        constraints = [
            models.UniqueConstraint(
                fields=["template", "language_code", "version"], name="translation_version_is_unique"
            ),
            models.CheckConstraint(condition=~Q(version=LATEST), name="translation_version_is_its_own"),
        ]

    def __str__(self) -> str:
        return f"{self.language_code} {self.version}"

    @property
    def wording(self) -> Wording:
        """What it says."""
        return Wording(
            self.language_code, self.version, self.message, self.channel_template_overrides, self.variables
        )
