"""The API's door to the legal grounds of an app's retention policies: our extension of the contract."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.serializers import JustificationBody
from projects import clock
from projects.models import App
from projects.requests.inputs import OneOf
from projects.requests.scoping import ProjectView
from projects.requests.wire import FailedPrecondition, timestamp
from retention.deciding import grounds
from retention.deciding.grounds import Giver, NothingOwed
from retention.models import Justification, OwedItem, Via
from retention.policies import Scope


class NewJustificationBody(JustificationBody):
    """A ground, and which of the app's two policies owes it."""

    scope = OneOf(Scope, default=Scope.MESSAGES)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The scope apart from the ground."""
        scope = attrs.pop("scope")
        return super().validate(attrs) | {"scope": scope}


class JustificationsView(ProjectView):
    """`/apps/{app_id}/retention-justifications`."""

    def get(self, request: Request, app_id: str, **_: Any) -> Response:
        """What was given, the newest first, and what is owed."""
        app = self.app(app_id)
        given = Justification.objects.filter(app=app).order_by("-id")
        owed = OwedItem.objects.filter(app=app, state=OwedItem.State.OPEN).order_by("id")
        return Response(
            {"justifications": [_given(row) for row in given], "owed": [_owed(row) for row in owed]}
        )

    def post(self, request: Request, app_id: str, **_: Any) -> Response:
        """Give what is owed."""
        app, body = self.app(app_id), NewJustificationBody.read(request.data)
        item = grounds.open_item(app, body["scope"])
        if item is None:
            raise _nothing_owed(app)
        giver = Giver(via=Via.API, author_key=self.principal.key_id)
        try:
            return Response(_given(grounds.settle(item, body["ground"], giver=giver, now=clock.now())))
        except NothingOwed:  # somebody was faster
            raise _nothing_owed(app) from None


def _nothing_owed(app: App) -> FailedPrecondition:
    return FailedPrecondition(f"No justification is owed for the retention policy of the app {app.pk}.")


def _given(row: Justification) -> dict[str, Any]:
    return _policy(row) | {
        "category": row.category,
        "reference": row.reference,
        "text": row.text,
        "review_on": row.review_on,
        "given_via": row.given_via,
        "create_time": timestamp(row.created_at),
    }


def _owed(row: OwedItem) -> dict[str, Any]:
    return _policy(row) | {
        "state": row.state,
        "create_time": timestamp(row.opened_at),
        "due_time": timestamp(row.due_at),
    }


def _policy(row: Justification | OwedItem) -> dict[str, Any]:
    """Whose it is: a ground serves one type and TTL."""
    return {
        "id": row.id,
        "scope": row.scope,
        "retention_type": row.retention_type,
        "ttl_days": row.ttl_days,
    }
