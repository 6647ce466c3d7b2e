"""The pages of templates: what a project sends again and again, to be read. They are written over the API."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from conversations.models import Template, TemplateTranslation
from projects.admin import cells
from projects.admin.scoped import Recorded, VisibleFilter


class TranslationInline(admin.StackedInline):
    """Every version in every language, those that are no longer listed last."""

    model = TemplateTranslation
    extra = 0
    can_delete = False
    template = "admin/edit_inline/cards.html"
    verbose_name_plural = "translations"
    fields = ["state", "says", "overrides", "blanks", "created_at", "updated_at"]
    readonly_fields = ["state", "says", "overrides", "blanks"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever sees the template."""
        return True

    @admin.display(description="State")
    def state(self, translation: TemplateTranslation) -> SafeString:
        if translation.position is None:
            return cells.state("Old version", hint="Kept for messages that name it.")
        return cells.state("Current", "good")

    @admin.display(description="Message")
    def says(self, translation: TemplateTranslation) -> SafeString:
        return cells.document(translation.message)

    @admin.display(description="In its place, by channel")
    def overrides(self, translation: TemplateTranslation) -> SafeString:
        return cells.document(translation.channel_template_overrides)

    @admin.display(description="Variables")
    def blanks(self, translation: TemplateTranslation) -> SafeString:
        return cells.document(translation.variables)


@admin.register(Template)
class TemplateAdmin(Recorded):
    """Templates of the caller's projects."""

    list_display = ["name", "public_id", "version", "languages", "project", "updated_at"]
    list_select_related = ["project"]
    list_filter = [("project", VisibleFilter)]
    search_fields = ["description__istartswith", "public_id__exact"]
    search_help_text = "The start of a description, or a whole id."
    id_lookups = ("public_id",)
    ordering = ["-key"]
    fields = [
        "public_id",
        "description",
        "project",
        "version",
        "default_translation",
        "created_at",
        "updated_at",
    ]
    inlines = [TranslationInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        """With what they say now."""
        rows: Any = super().get_queryset(request)
        return rows.as_listed()  # type: ignore[no-any-return]  # Django's own queryset to the type checker

    @admin.display(description="Name", ordering="description")
    def name(self, template: Template) -> str:
        return str(template)

    @admin.display(description="Languages")
    def languages(self, template: Template) -> str:
        return ", ".join(translation.language_code for translation in template.newest)
