"""What every page of the portal is made of: it shows the caller's projects and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import DateTimeField, Model, Q, QuerySet
from django.forms import Field, ModelChoiceField
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from projects import ids
from projects.admin import cells, history
from projects.roles import Right, reach

LISTED_AT_MOST = 5_000
FILTER_CHOICES = 200


class BoundedPaginator(Paginator):
    """Pages of the newest rows. It never counts a whole table: a filter leads to what is older."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, as far as the pages go."""
        rows: Any = self.object_list
        return int(rows.order_by()[:LISTED_AT_MOST].count())

    @property
    def is_cut(self) -> bool:
        """Whether there may be more rows than the pages show."""
        return self.count == LISTED_AT_MOST


class VisibleFilter(admin.RelatedFieldListFilter):
    """A filter by a related row, which offers only what the caller sees."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> Any:
        related = cast("ProjectScoped", model_admin.admin_site.get_model_admin(field.remote_field.model))
        rows = related.rows(request).order_by("pk")[:FILTER_CHOICES]
        return [(str(row.pk), str(row)) for row in rows]

    def has_output(self) -> bool:
        """It is shown where there is a choice, and obeyed wherever it is asked for."""
        return super().has_output() or bool(self.lookup_val)


def by_state(lasting: str, ended: str) -> type[admin.EmptyFieldListFilter]:
    """A filter by the moment at which rows end, in words: what they are before, and what afterwards."""

    class StateFilter(admin.EmptyFieldListFilter):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.title = "state"

        def choices(self, changelist: Any) -> Iterator[Any]:
            for choice, word in zip(super().choices(changelist), ("All", lasting, ended), strict=True):
                yield {**choice, "display": word}

    return StateFilter


class VisibleChoices:
    """For pages and inlines: a form offers, and takes, only rows of projects in which the caller may write."""

    right: ClassVar[Right | None] = Right.OPERATION
    admin_site: admin.AdminSite

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """The choices of a related row."""
        related = self.admin_site._registry.get(db_field.remote_field.model)
        if isinstance(related, ProjectScoped):
            options.setdefault("queryset", related.rows(request, self.right))
        return super().formfield_for_foreignkey(db_field, request, **options)  # type: ignore[misc]  # the page's

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Field | None:
        """A field without the pop-up links around it: every page has its own place."""
        field: Field | None = super().formfield_for_dbfield(db_field, request, **options)  # type: ignore[misc]  # the page's
        if isinstance(field, ModelChoiceField) and hasattr(field.widget, "can_add_related"):
            field.widget = field.widget.widget
        return field


class ProjectScoped(VisibleChoices, admin.ModelAdmin):
    """A page of rows that each belong to one project.

    `project_path` leads from a row to its project. `right` is what changing takes; None: nobody changes these.
    """

    project_path: ClassVar[str] = "project"
    id_lookups: ClassVar[Sequence[str]] = ("pk",)  # what a public id in the search box may be
    actions = None
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    object_history_template = "admin/changes.html"

    def rows(self, request: HttpRequest, right: Right | None = None) -> QuerySet[Any]:
        """The rows that exist for the caller; with a right, those in whose project they have it."""
        rows = super().get_queryset(request)
        reached = reach(request)
        if reached.is_unlimited:
            return rows
        return rows.filter(**{f"{self.project_path}__in": reached.project_ids(right)})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Rows of other projects do not exist: every view of the page starts here."""
        return self.rows(request)

    def project_of(self, row: Model) -> UUID:
        """The project that a row belongs to."""
        if self.project_path == "pk":
            return UUID(str(row.pk))
        project_id: UUID = attrgetter(self.project_path.replace("__", ".") + "_id")(row)
        return project_id

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The columns; moments as such, for people and machines."""
        return [_moment_column(self.model, name) or name for name in super().get_list_display(request)]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, under the name of what it lists."""
        title = {"title": str(self.opts.verbose_name_plural).capitalize()}
        return super().changelist_view(request, title | (extra_context or {}))

    def may_change(self, request: HttpRequest, row: Model | None = None) -> bool:
        """Whether the caller has the page's right for this row; without one, for any."""
        if self.right is None:
            return False
        return reach(request).may(self.right, None if row is None else self.project_of(row))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Pages are listed for every member."""
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Every member reads."""
        return obj is None or reach(request).sees(self.project_of(obj))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """In some project; the form offers which."""
        return self.may_change(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """With the right in the row's project."""
        return self.may_change(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """With the right in the row's project."""
        return self.may_change(request, obj)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By public id where the term is one, else by the page's search fields.

        The start of a name may be several words: where that is asked for, they are not searched one by one.
        """
        term = search_term.strip().upper()
        if not ids.is_ulid(term):
            if any(field.endswith("__istartswith") for field in self.get_search_fields(request)):
                search_term = as_one_phrase(search_term)
            return super().get_search_results(request, queryset, search_term)
        matches = Q()
        for lookup in self.id_lookups:
            matches |= Q(**{lookup: term})
        return queryset.filter(matches), False

    def missing(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The answer where there is no such row for the caller: back to the first page, with a message."""
        answer: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]  # Django's own
        return answer

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> HttpResponse:
        """The form, with one way to save and one to go on."""
        return super().render_change_form(
            request, context | {"show_save_and_add_another": False}, *args, **options
        )

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Who changed the row, when, from where, and from what to what."""
        row = self.get_object(request, object_id)
        changes = [] if row is None else history.of(row)
        return super().history_view(request, object_id, (extra_context or {}) | {"changes": changes})


def as_one_phrase(text: str) -> str:
    """The text as one phrase to Django's search; empty, it asks for nothing."""
    words = " ".join(text.replace('"', " ").split())
    return f'"{words}"' if words else ""


def _moment_column(model: Any, name: Any) -> Callable[[Any], SafeString] | None:
    """A column that shows a moment; None where the field is none."""
    field = next((field for field in model._meta.fields if field.name == name), None)
    if not isinstance(field, DateTimeField):
        return None

    @admin.display(description=str(field.verbose_name).capitalize(), ordering=name)
    def column(row: Any) -> SafeString:
        return cells.moment(getattr(row, name))

    return column


class Recorded(ProjectScoped):
    """Rows that are history: they are read, by members, and that is all."""

    right = None
