"""Who no longer wants messages from an app."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from contacts import payloads
from contacts.models import Consent, ConsentList, ConsentRecord
from contacts.resolving import Identity
from gateway.channels.base import Channel
from projects import ids
from projects.models import App
from webhooks.publishing import About, publish
from webhooks.triggers import Trigger


@transaction.atomic
def opt_out(
    *, app: App, channel: Channel, identity: str, contact_id: str, origin: ConsentRecord.Origin, now: datetime
) -> None:
    """Put the identity on the app's list, record it and tell the client: once, however often it is asked."""
    place: dict[str, Any] = {
        "app": app,
        "channel": channel,
        "identity": identity,
        "list_type": ConsentList.OPT_OUT_ALL,
    }
    _, is_new = Consent.objects.get_or_create(**place)
    if not is_new:
        return
    ConsentRecord.objects.create(
        **place, origin=origin, operation=ConsentRecord.Operation.OPERATION_INSERT, recorded_at=now
    )
    payload = payloads.opt_out(
        request_id=ids.ulid(),
        contact_id=contact_id,
        channel=channel,
        identity=identity,
        processing_mode=app.processing_mode,
    )
    about = About(accepted_time=now, event_time=now)
    publish(app=app, trigger=Trigger.OPT_OUT, payload=payload, about=about)


def opted_out(*, app: App, identities: Collection[Identity]) -> set[Identity]:
    """Those of the identities that want nothing from this app any more."""
    theirs = Q()
    for one in identities:
        theirs |= Q(channel=one.channel, identity=one.identity)
    if not theirs:
        return set()
    listed = Consent.objects.filter(theirs, app=app, list_type=ConsentList.OPT_OUT_ALL)
    return {
        Identity(Channel(channel), identity)
        for channel, identity in listed.values_list("channel", "identity")
    }
