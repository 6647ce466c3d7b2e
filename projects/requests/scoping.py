"""Whose: every request sees one project, and an id of another project is an id that does not exist."""

from __future__ import annotations

from typing import Any, TypeVar, cast
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.core.exceptions import ValidationError as ModelValidationError
from django.db.models import Model, QuerySet
from rest_framework.exceptions import NotFound, Throttled, ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from projects import ids
from projects.keys import Principal
from projects.models import App
from projects.requests import rates

M = TypeVar("M", bound=Model)


class ProjectView(APIView):
    """A view below `/v1/projects/{project_id}/`; the permission has seen that the key opens it."""

    request: Request
    http_method_names = ["get", "post", "put", "patch", "delete"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who and whose, then what PostgreSQL could not even look for."""
        super().initial(request, *args, **kwargs)
        for name, values in request.query_params.lists():
            if any("\0" in text for text in [name, *values]):
                raise ValidationError({name.replace("\0", ""): ["must not contain the NUL character"]})

    def check_throttles(self, request: Request) -> None:
        """As many requests a second as a project may make with all its keys. Raises Throttled."""
        if not rates.admits(f"project:{self.principal.project_id}", limit=settings.API_RATE_LIMIT):
            raise Throttled(1, f"A project may make {settings.API_RATE_LIMIT} requests a second.")

    @property
    def principal(self) -> Principal:
        """The key that calls."""
        return cast("Principal", self.request.auth)

    @property
    def project_id(self) -> UUID:
        """The project of the key, which is the path's."""
        return UUID(self.principal.project_id)

    def app(self, app_id: Any) -> App:
        """A living app of this project. Raises NotFound."""
        return found(App.objects.living().filter(project=self.project_id), app_id)


def found(rows: QuerySet[M], public_id: Any) -> M:
    """The row with this id among those the caller may see. Raises NotFound, whatever the reason."""
    try:
        return rows.get(pk=public_id)
    except (ObjectDoesNotExist, ModelValidationError):
        raise unknown(rows.model, public_id) from None


def unknown(model: type[Model], public_id: Any) -> NotFound:
    """Nothing has this id, as far as the caller may see."""
    return NotFound(f"There is no {model._meta.verbose_name} with the id {str(public_id)[:64]!r}.")


def matching(rows: QuerySet[M], **filters: Any) -> QuerySet[M]:
    """The rows that a list's id filters leave; an id that is none of ours matches nothing."""
    for lookup, public_id in filters.items():
        if public_id in ("", None):
            continue
        if not ids.is_ulid(public_id):
            return rows.none()
        rows = rows.filter(**{lookup: public_id})
    return rows
