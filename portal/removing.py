"""An app goes: at once for everyone who asks, and for good with the next purge."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from conversations.events.delivery import EventSending
from conversations.hearing.capability import Asking
from conversations.reaching.delivery import Echoing, Sending
from outbox import entries
from projects import ids
from projects.models import App
from webhooks import subscribing


@transaction.atomic
def remove(app: App, *, now: datetime) -> None:
    """Delete its webhooks, credentials and secrets, and all that waits to be sent for it.

    The row stays: what the app kept is deleted by the purge, and the retention ledger goes on naming the app.
    """
    for webhook in app.webhooks.all():
        subscribing.remove(webhook)
    for credential in app.credentials.all():
        for kind in (Sending.name, Echoing.name, EventSending.name, Asking.name):
            entries.close(kind, ids.to_uuid(credential.id))
        credential.delete()
    app.callback_secret = ""
    app.deleted_at = now
    app.save(update_fields=["callback_secret", "deleted_at"])
