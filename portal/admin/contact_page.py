"""The page of a contact, with what compliance may do about it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from contacts.models import Contact
from conversations.admin.contacts import ContactAdmin
from projects.roles import Right, reach
from retention.models import PrivacyRequest

admin.site.unregister(Contact)


@admin.register(Contact)
class ContactPage(ContactAdmin):
    """The contact, and its privacy requests."""

    change_form_template = "admin/contacts/person.html"

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> HttpResponse:
        if contact := options.get("obj"):
            context |= {
                "privacy_requests": PrivacyRequest.objects.filter(contact_id=contact.pk).order_by("-pk"),
                "may_ask": reach(request).may(Right.RETENTION, contact.project_id),
            }
        return super().render_change_form(request, context, *args, **options)
