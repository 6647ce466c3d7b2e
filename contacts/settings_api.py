"""The API's door to a project's settings: one of each project, or none."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from contacts import payloads, unifying
from contacts.models import ContactSettings
from projects.requests import masks
from projects.requests.inputs import Flag, Input
from projects.requests.scoping import ProjectView


class AlreadyExists(APIException):
    """There is one already, and no room for two: change it."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = "The project already has settings."


class ContactSettingsBody(Input):
    """How contacts are treated."""

    unified_contact_id_enabled = Flag.of(ContactSettings, "unified_contact_id_enabled")


class SettingsBody(Input):
    """The contract's project settings."""

    contact_settings = ContactSettingsBody(required=False)


class SettingsView(ProjectView):
    """`/settings`."""

    def get(self, request: Request, **_: Any) -> Response:
        """Show them."""
        return self._shown(self._stored())

    @transaction.atomic
    def post(self, request: Request, **_: Any) -> Response:
        """Set them for the first time."""
        body = SettingsBody.read(request.data)
        settings = ContactSettings(project_id=self.project_id)
        try:
            with transaction.atomic():
                settings.save(force_insert=True)
        except IntegrityError as error:
            raise AlreadyExists from error
        return self._written(settings, body)

    @transaction.atomic
    def patch(self, request: Request, **_: Any) -> Response:
        """Change what is sent, or what the mask names."""
        settings = self._stored(for_change=True)
        current = payloads.contact_settings(settings)
        changes = masks.changes(request, current=current, empty=SettingsBody.empty())
        return self._written(settings, SettingsBody.read(changes) if changes else {})

    def delete(self, request: Request, **_: Any) -> Response:
        """Go back to having none."""
        self._stored().delete()
        return Response()

    def _stored(self, *, for_change: bool = False) -> ContactSettings:
        rows = ContactSettings.objects.select_for_update() if for_change else ContactSettings.objects
        settings = rows.filter(project=self.project_id).first()
        if settings is None:
            raise NotFound("The project has no settings yet: POST makes them.")
        return settings

    def _written(self, settings: ContactSettings, body: dict[str, Any]) -> Response:
        if "contact_settings" in body:
            enabled = body["contact_settings"]["unified_contact_id_enabled"]
            unifying.set_unified(settings, enabled=enabled)
        return self._shown(settings)

    def _shown(self, settings: ContactSettings) -> Response:
        return Response({"project_id": str(self.project_id), "settings": payloads.contact_settings(settings)})
