"""The API's door to apps."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from portal import removing
from portal.api import payloads, writing
from portal.api.serializers import FIXED, AppBody, NewAppBody
from projects import clock
from projects.audit import by_key
from projects.models import App
from projects.requests import masks
from projects.requests.scoping import ProjectView, found


class AppsView(ProjectView):
    """`/apps`."""

    def get(self, request: Request, **_: Any) -> Response:
        """All of the project's, oldest first; they are few, so there are no pages."""
        living = App.objects.living().filter(project=self.project_id)
        return Response({"apps": payloads.apps(list(living.prefetch_related("credentials").order_by("id")))})

    def post(self, request: Request, **_: Any) -> Response:
        """Make one."""
        app, body = App(project_id=self.project_id), NewAppBody.read(request.data)
        with by_key(request):
            writing.write(app, body, key_id=self.principal.key_id, now=clock.now())
        return Response(payloads.app(app))


class AppView(ProjectView):
    """`/apps/{app_id}`."""

    def get(self, request: Request, app_id: str, **_: Any) -> Response:
        """Show it."""
        return Response(payloads.app(self.app(app_id)))

    @transaction.atomic
    def patch(self, request: Request, app_id: str, **_: Any) -> Response:
        """Change the fields that are sent, or that the mask names."""
        app = self._held(app_id)
        current = payloads.app(app)
        body = AppBody.read_named(masks.changes(request, current=current, empty=AppBody.empty(), fixed=FIXED))
        with by_key(request):
            writing.write(app, body, key_id=self.principal.key_id, now=clock.now())
        return Response(payloads.app(app))

    @transaction.atomic
    def delete(self, request: Request, app_id: str, **_: Any) -> Response:
        """Delete it, with its credentials and webhooks; its conversations go with the next purge."""
        with by_key(request):
            removing.remove(self._held(app_id), now=clock.now())
        return Response()

    def _held(self, app_id: str) -> App:
        """The app, which nobody else changes until the end of the transaction."""
        living = App.objects.living().filter(project=self.project_id)
        return found(living.select_for_update(no_key=True), app_id)
