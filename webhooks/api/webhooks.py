"""The API's door to webhooks."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from projects.audit import by_key
from projects.requests import masks
from projects.requests.scoping import ProjectView, found
from webhooks import subscribing
from webhooks.api import payloads, serializers
from webhooks.models import Webhook


class WebhooksView(ProjectView):
    """`/webhooks`."""

    def post(self, request: Request, **_: Any) -> Response:
        """Make one for the app that the body names."""
        app_id = serializers.Creation.read(request.data)["app_id"]
        wishes = serializers.wishes(request.data)
        with by_key(request):
            webhook = subscribing.create(app=self.app(app_id), **wishes)
        return Response(payloads.webhook(webhook))


class AppWebhooksView(ProjectView):
    """`/apps/{app_id}/webhooks`."""

    def get(self, _request: Request, app_id: str, **_: Any) -> Response:
        """All of an app's, oldest first; they are few, so there are no pages."""
        webhooks = self.app(app_id).webhooks.order_by("id")
        return Response({"webhooks": [payloads.webhook(webhook) for webhook in webhooks]})


class WebhookView(ProjectView):
    """`/webhooks/{webhook_id}`."""

    def get(self, _request: Request, webhook_id: str, **_: Any) -> Response:
        """Show it."""
        return Response(payloads.webhook(self._webhook(webhook_id)))

    def patch(self, request: Request, webhook_id: str, **_: Any) -> Response:
        """Change the fields that are sent, or that the mask names."""
        webhook = self._webhook(webhook_id)
        changes = masks.changes(
            request,
            current=payloads.webhook(webhook),
            empty={**serializers.EMPTY, "app_id": webhook.app_id},
            fixed=("id",),
        )
        if changes.get("app_id", webhook.app_id) != webhook.app_id:
            raise ValidationError({"app_id": ["cannot change"]})
        with by_key(request):
            subscribing.change(webhook, **serializers.wishes(changes))
        return Response(payloads.webhook(webhook))

    def delete(self, request: Request, webhook_id: str, **_: Any) -> Response:
        """Delete it, and what still waits to be delivered to it."""
        with by_key(request):
            subscribing.remove(self._webhook(webhook_id))
        return Response()

    def _webhook(self, webhook_id: str) -> Webhook:
        return found(Webhook.objects.of_project(self.project_id), webhook_id)
