"""Who is behind an identity: the contact that has it, or a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from contacts import unifying, writing
from contacts.models import ChannelIdentity, Contact
from contacts.writing import ScopedIdentity
from gateway.channels.base import APP_SCOPED, SAME_NUMBER, Channel
from projects.models import App


@dataclass(frozen=True, slots=True)
class Identity:
    """How an app's channel names a person; normalised by `gateway.channels.normalise`."""

    channel: Channel
    identity: str


def find(*, app: App, identities: Sequence[Identity]) -> Contact | None:
    """The oldest contact that has one of these identities; on app-scoped channels, in this app.

    Where contacts are unified a number on SMS, MMS or RCS is the same person on all three.
    """
    if not identities:
        return None
    theirs = Q()
    numbers = {one.identity for one in identities if one.channel in SAME_NUMBER}
    if numbers and unifying.is_unified(app.project_id):
        theirs |= Q(channel__in=SAME_NUMBER, identity__in=numbers)
    for one in identities:
        scope = app.pk if one.channel in APP_SCOPED else None
        theirs |= Q(channel=one.channel, identity=one.identity, app=scope)
    known = ChannelIdentity.objects.filter(theirs, project=app.project_id).select_related("contact")
    oldest = known.order_by("contact_id").first()  # a ULID begins with its time
    return oldest.contact if oldest else None


def find_or_create(
    *, app: App, identities: Sequence[Identity], display_name: str = "", now: datetime
) -> Contact:
    """The contact behind these identities, created where nobody has them; once, however many ask at once."""
    contact = find(app=app, identities=identities)
    if contact is not None:
        return contact
    with transaction.atomic():
        _wait_for_our_turn(app, identities)
        return find(app=app, identities=identities) or writing.create(
            project_id=app.project_id,
            identities=[_scoped(app, one) for one in dict.fromkeys(identities)],
            fields={"display_name": display_name[: writing.LONGEST_NAME]},
            now=now,
        )


def _scoped(app: App, identity: Identity) -> ScopedIdentity:
    return ScopedIdentity(
        identity.channel, identity.identity, app.pk if identity.channel in APP_SCOPED else None
    )


def _wait_for_our_turn(app: App, identities: Sequence[Identity]) -> None:
    """Hold these identities until the transaction ends; sorted, so that no two wait for each other."""
    names = sorted(
        {
            f"{app.project_id} {'' if one.channel in SAME_NUMBER else one.channel} {one.identity}"
            for one in identities
        }
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%s::text[]) AS name", [names]
        )
