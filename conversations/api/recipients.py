"""Whom a request means."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ValidationError

from contacts.models import Contact
from conversations.sending import Recipient
from projects.models import App, ProcessingMode
from projects.scoping import found


def recipient(app: App, given: dict[str, Any], *, mode: str = "") -> Recipient:
    """The contact, or the identities; `mode` is the request's own, where it may differ from the app's.

    Raises NotFound, or ValidationError where there are only identities.
    """
    if not given.get("contact_id"):
        return Recipient(identities=given["identified_by"]["channel_identities"])
    if (mode or app.processing_mode) == ProcessingMode.DISPATCH:
        raise ValidationError({"recipient": ["must be identified_by where it is dispatched"]})
    contacts = Contact.objects.filter(project=app.project_id).prefetch_related("identities")
    return Recipient(contact=found(contacts, given["contact_id"]))
