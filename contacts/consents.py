"""Who no longer wants messages from an app, and who wants them again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from django.db import transaction

from contacts import payloads
from contacts.models import Consent, ConsentList, ConsentRecord
from contacts.resolving import Identity
from gateway.channels.base import Channel
from outbox import statements
from projects import ids
from projects.models import App
from webhooks.publishing import About, publish
from webhooks.triggers import Trigger

Operation = ConsentRecord.Operation


class ContentType(StrEnum):
    """What a message is about: wire contract 3.3."""

    CONTENT_UNKNOWN = "CONTENT_UNKNOWN"
    CONTENT_MARKETING = "CONTENT_MARKETING"
    CONTENT_NOTIFICATION = "CONTENT_NOTIFICATION"


# Who stands on one of these lists gets no message about that.
BLOCKED_BY: Final = {
    ContentType.CONTENT_UNKNOWN: (ConsentList.OPT_OUT_ALL,),
    ContentType.CONTENT_MARKETING: (ConsentList.OPT_OUT_ALL, ConsentList.OPT_OUT_MARKETING),
    ContentType.CONTENT_NOTIFICATION: (ConsentList.OPT_OUT_ALL, ConsentList.OPT_OUT_NOTIFICATION),
}

# Of an app all that stand on one of these lists; a part of other statements.
OPTED_OUT: Final = """
    SELECT channel, identity FROM contacts_consent WHERE app_id = %(app)s AND list_type = ANY(%(lists)s)
"""


@transaction.atomic
def opt_out(
    *,
    app: App,
    channel: Channel,
    identity: str,
    contact_id: str,
    origin: ConsentRecord.Origin,
    lists: Collection[ConsentList] = (ConsentList.OPT_OUT_ALL,),
    now: datetime,
) -> None:
    """Put the identity on the app's lists, record it and tell the client: once, however often it is asked."""
    place: dict[str, Any] = {"app": app, "channel": channel, "identity": identity}
    added = [one for one in lists if Consent.objects.get_or_create(**place, list_type=one)[1]]
    if not added:
        return
    _record(place, added, origin=origin, operation=Operation.OPERATION_INSERT, now=now)
    _tell(Trigger.OPT_OUT, "OPT_OUT_SUCCEEDED", place, contact_id=contact_id, now=now)


@transaction.atomic
def opt_in(
    *,
    app: App,
    channel: Channel,
    identity: str,
    contact_id: str,
    origin: ConsentRecord.Origin,
    lists: Collection[ConsentList] = tuple(ConsentList),
    now: datetime,
) -> None:
    """Take the identity off the app's lists, record it and tell the client; nothing where it is on none of them."""
    place: dict[str, Any] = {"app": app, "channel": channel, "identity": identity}
    listed = Consent.objects.filter(**place, list_type__in=lists).select_for_update().order_by("list_type")
    left = [ConsentList(row.list_type) for row in listed]
    if not left:
        return
    listed.delete()
    _record(place, left, origin=origin, operation=Operation.OPERATION_DELETE, now=now)
    _tell(Trigger.OPT_IN, "OPT_IN_SUCCEEDED", place, contact_id=contact_id, now=now)


def opted_out(
    *, app: App, identities: Collection[Identity], about: ContentType = ContentType.CONTENT_UNKNOWN
) -> set[Identity]:
    """Those of the identities that want no message about this from the app any more."""
    if not identities:
        return set()
    terms = {
        "app": ids.to_uuid(app.id),
        "lists": blocking(about),
        "identities": [one.identity for one in identities],
    }
    listed = statements.run(f"{OPTED_OUT} AND identity = ANY(%(identities)s)", terms)
    return {Identity(Channel(channel), identity) for channel, identity in listed}.intersection(identities)


def blocking(about: ContentType) -> list[str]:
    """The lists that keep messages about this from whoever stands on them."""
    return [one.value for one in BLOCKED_BY[about]]


def _record(
    place: dict[str, Any],
    lists: Collection[ConsentList],
    *,
    origin: ConsentRecord.Origin,
    operation: ConsentRecord.Operation,
    now: datetime,
) -> None:
    ConsentRecord.objects.bulk_create(
        ConsentRecord(**place, list_type=one, origin=origin, operation=operation, recorded_at=now)
        for one in lists
    )


def _tell(trigger: Trigger, status: str, place: dict[str, Any], *, contact_id: str, now: datetime) -> None:
    app = place["app"]
    payload = payloads.consent(
        request_id=ids.ulid(),
        contact_id=contact_id,
        channel=place["channel"],
        identity=place["identity"],
        status=status,
        processing_mode=app.processing_mode,
    )
    publish(app=app, trigger=trigger, payload=payload, about=About(accepted_time=now, event_time=now))
