"""The API's door to one contact: as a room below shows it, and with what needs its conversations."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from contacts import api
from conversations import merging
from projects import clock
from projects.scoping import found


class ContactView(api.ContactView):
    """`/contacts/{contact_id}`."""

    @transaction.atomic
    def delete(self, request: Request, contact_id: str, **_: Any) -> Response:
        """Delete it; its conversations end and stay."""
        merging.delete_contact(found(self.contacts(), contact_id), now=clock.now())
        return Response()
