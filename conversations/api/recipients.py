"""Whom a request means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS
from rest_framework.exceptions import ValidationError

from contacts.models import Contact
from conversations.reaching.sending import Recipient
from outbox import statements
from projects import ids
from projects.models import App, ProcessingMode
from projects.requests.scoping import found, unknown

# In the models' order, as from_db wants them.
_APP: Final = ["id", "project_id", "processing_mode"]
_CONTACT: Final = ["id", "project_id", "channel_priority"]
# Of one project, and with the database's time: what every send begins with is one question.
_PARTIES: Final = """
    SELECT clock_timestamp(), app.processing_mode, contact.channel_priority
    FROM projects_app app
    LEFT JOIN contacts_contact contact ON contact.project_id = app.project_id AND contact.id = %(contact)s
    WHERE app.id = %(app)s AND app.project_id = %(project)s AND app.deleted_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Parties:
    """Who sends and who is meant, and when that was asked; the rest of their columns is read if needed."""

    app: App
    contact: Contact | None
    now: datetime

    def recipient(self, given: dict[str, Any], *, mode: ProcessingMode) -> Recipient:
        """Raises NotFound, or ValidationError where a message is dispatched to a contact."""
        if not given.get("contact_id"):
            return Recipient(identities=given["identified_by"]["channel_identities"])
        _refuse_dispatch(mode)
        if self.contact is None:
            raise unknown(Contact, given["contact_id"])
        return Recipient(contact=self.contact)


def parties(project_id: UUID, *, app_id: str, recipient: dict[str, Any]) -> Parties:
    """A living app of the project, and the contact if one is named and there is one. Raises NotFound."""
    contact_id = recipient.get("contact_id") or ""
    terms = {"project": project_id, "app": _key(app_id), "contact": _key(contact_id)}
    rows = statements.run(_PARTIES, terms)
    if not rows:
        raise unknown(App, app_id)
    now, mode, priority = rows[0]
    app = App.from_db(DEFAULT_DB_ALIAS, _APP, [app_id, project_id, mode])
    contact = None
    if priority is not None:
        contact = Contact.from_db(DEFAULT_DB_ALIAS, _CONTACT, [contact_id, project_id, priority])
    return Parties(app, contact, now)


def recipient(app: App, given: dict[str, Any]) -> Recipient:
    """The contact, or the identities. Raises NotFound, or ValidationError where there are only identities."""
    if not given.get("contact_id"):
        return Recipient(identities=given["identified_by"]["channel_identities"])
    _refuse_dispatch(app.processing_mode)
    return Recipient(contact=found(Contact.objects.filter(project=app.project_id), given["contact_id"]))


def _refuse_dispatch(mode: str) -> None:
    if mode == ProcessingMode.DISPATCH:
        raise ValidationError({"recipient": ["must be identified_by where it is dispatched"]})


def _key(public_id: str) -> UUID | None:
    """None finds nothing: what is no id of ours names nobody."""
    return ids.to_uuid(public_id) if ids.is_ulid(public_id) else None
