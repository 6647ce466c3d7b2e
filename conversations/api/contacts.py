"""The API's door to one contact: as a room below shows it, and with what needs its conversations."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts import api, payloads
from contacts.models import Contact
from conversations import merging
from conversations.api.event_bodies import MergeRequest, ProfileRequest
from conversations.api.recipients import recipient
from conversations.hearing import profiles
from projects import clock
from projects.requests.scoping import ProjectView, found
from projects.requests.wire import FailedPrecondition


class ContactView(api.ContactView):
    """`/contacts/{contact_id}`."""

    @transaction.atomic
    def delete(self, request: Request, contact_id: str, **_: Any) -> Response:
        """Delete it; its conversations end and stay."""
        contact = found(self.contacts().select_for_update(), contact_id)
        merging.delete_contact(contact, by_key=self.principal.key_id, now=clock.now())
        return Response()


class MergeContacts(api.ContactView):
    """`/contacts/{contact_id}:merge`."""

    http_method_names = ["post"]

    @transaction.atomic
    def post(self, request: Request, contact_id: str, **_: Any) -> Response:
        """Take another contact into this one, which wins where both have something."""
        destination = found(self.contacts(), contact_id)
        source = found(self.contacts(), MergeRequest.read(request.data)["source_id"])
        if source == destination:
            raise ValidationError({"source_id": ["must be another contact"]})
        try:
            merging.merge_contacts(destination, source, by_key=self.principal.key_id, now=clock.now())
        except Contact.DoesNotExist:
            raise NotFound("One of the contacts has just been deleted.") from None
        return Response(payloads.contact(destination))


class ChannelProfile(ProjectView):
    """POST /contacts:getChannelProfile."""

    def post(self, request: Request, **_: Any) -> Response:
        """The name that the channel knows the recipient by."""
        body = ProfileRequest.read(request.data)
        app = self.app(body["app_id"])
        whom = recipient(app, body["recipient"])
        try:
            name = profiles.name_of(whom, app=app, channel=body["channel"])
        except profiles.NoProfile as refusal:
            raise FailedPrecondition(str(refusal)) from refusal
        return Response({"profile_name": name})
