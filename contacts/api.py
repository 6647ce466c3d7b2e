"""The API's door to contacts. Deleting one moves its conversations, so that is done a room higher."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from contacts import listing, payloads, unifying, writing
from contacts.models import ChannelIdentity, Contact
from contacts.serializers import ContactBody, ContactFilter
from contacts.writing import ScopedIdentity
from gateway.channels.base import Channel
from projects import clock
from projects.requests import masks
from projects.requests.paging import Page
from projects.requests.scoping import ProjectView, found

_LARGEST_PAGE = 20


class ContactsView(ProjectView):
    """`/contacts`."""

    def get(self, request: Request, **_: Any) -> Response:
        """The project's contacts, oldest first; by external id, or by one identity."""
        contacts = self._matching(**ContactFilter.read_query(request.query_params))
        page = Page.of(request, largest=_LARGEST_PAGE)
        rows, token = page.cut(contacts.values_list(*payloads.CONTACT, named=True), by=("id",))
        return Response({"contacts": listing.shown(rows), "next_page_token": token})

    @transaction.atomic
    def post(self, request: Request, **_: Any) -> Response:
        """Make one."""
        fields = ContactBody.read(request.data)
        identities = fields.pop("identities")
        _check_apps(self, identities)
        contact = writing.create(
            project_id=self.project_id, identities=identities, fields=fields, now=clock.now()
        )
        return Response(payloads.contact(contact))

    def _matching(
        self, *, external_id: str = "", channel: Channel | None = None, identity: str = ""
    ) -> QuerySet[Contact]:
        contacts = Contact.objects.filter(project=self.project_id)
        if external_id:
            return contacts.filter(external_id=external_id)
        if not channel:
            return contacts
        holders = ChannelIdentity.objects.filter(project=self.project_id, channel=channel, identity=identity)
        return contacts.filter(pk__in=holders.values("contact"))


class ContactView(ProjectView):
    """`/contacts/{contact_id}`."""

    def get(self, request: Request, contact_id: str, **_: Any) -> Response:
        """Show it."""
        return Response(payloads.contact(found(self.contacts(), contact_id)))

    @transaction.atomic
    def patch(self, request: Request, contact_id: str, **_: Any) -> Response:
        """Change the fields that are sent, or that the mask names."""
        contact = found(self.contacts().select_for_update(no_key=True), contact_id)
        current = payloads.contact(contact)
        changes = masks.changes(request, current=current, empty=ContactBody.empty(), fixed=("id",))
        fields = ContactBody.read_named(changes)
        identities = fields.pop("identities", None)
        if identities:
            _check_apps(self, identities, known=writing.identities_of(contact))
        writing.change(contact, identities=identities, fields=fields, now=clock.now())
        return Response(payloads.contact(contact))

    def contacts(self) -> QuerySet[Contact]:
        """The project's contacts."""
        return Contact.objects.filter(project=self.project_id)


class IdentityConflictsView(ProjectView):
    """`/contacts:identityConflicts`."""

    def get(self, request: Request, **_: Any) -> Response:
        """The numbers that several contacts share on SMS, MMS and RCS."""
        page = Page.of(request, default=_LARGEST_PAGE, largest=_LARGEST_PAGE)
        rows, token = page.cut(unifying.conflicts(self.project_id), by=("identity",))
        holders = unifying.holders(self.project_id, [row.identity for row in rows])
        shared = [payloads.identity_conflict(number, found) for number, found in holders.items()]
        return Response({"conflicts": shared, "next_page_token": token})


def _check_apps(
    view: ProjectView, identities: Sequence[ScopedIdentity], *, known: Collection[ScopedIdentity] = ()
) -> None:
    """Identities are scoped to the project's own apps. Of those that are known the app may be gone."""
    for one in identities:
        if one.app_id and one not in known:
            view.app(one.app_id)
