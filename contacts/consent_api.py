"""The API's door to who opted out of an app's messages."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts import payloads
from contacts.models import Consent, ConsentList, ConsentRecord
from projects.requests.paging import Page
from projects.requests.scoping import ProjectView

_LARGEST_PAGE = 50


class ConsentsView(ProjectView):
    """`/apps/{app_id}/consents/{list_type}`."""

    def get(self, request: Request, app_id: str, list_type: str, **_: Any) -> Response:
        """The identities on this list of the app, each once, whatever channels it stands there for."""
        app = self.app(app_id)
        if list_type not in ConsentList.values:
            raise ValidationError({"list_type": [f"must be one of {', '.join(ConsentList.values)}"]})
        listed = Consent.objects.filter(app=app, list_type=list_type).distinct("identity")
        rows, token = Page.of(request, largest=_LARGEST_PAGE).cut(listed, by=("identity",))
        return Response(
            {"identities": [{"identity": row.identity} for row in rows], "next_page_token": token}
        )


class ConsentRecordsView(ProjectView):
    """`/apps/{app_id}/consents/identities/{identity}`."""

    def get(self, request: Request, app_id: str, identity: str, **_: Any) -> Response:
        """Every change of the app's lists for this identity, oldest first."""
        app = self.app(app_id)
        bare = identity.strip().removeprefix("+").strip()  # phone numbers are kept as bare digits
        records = ConsentRecord.objects.filter(app=app, identity=bare).order_by("recorded_at", "id")
        return Response(
            {
                "identity": {"identity": bare},
                "audit_records": [payloads.audit_record(row, project_id=self.project_id) for row in records],
            }
        )
