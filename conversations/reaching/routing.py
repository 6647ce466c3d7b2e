"""Which channels a message is tried on, and in which order: message > contact > app."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from contacts import consents
from contacts.consents import ContentType
from contacts.models import Contact
from contacts.resolving import Identity
from conversations.models import Candidate
from gateway.channels import NoAdapter, adapter
from gateway.channels.base import Channel, Reason, ReasonCode
from outbox import statements
from projects import ids
from projects.models import App

Level = Candidate.Level
Verdict = Candidate.Verdict

# What the app sends with, how the contact is known to it, and who of them or of those given opted out.
_KNOWN: Final = f"""
    WITH known AS (
        SELECT channel, identity, position, id FROM contacts_channelidentity
        WHERE contact_id = %(contact)s AND (app_id IS NULL OR app_id = %(app)s)
    )
    SELECT
        (SELECT json_agg(json_build_array(channel, id) ORDER BY position, id)
            FROM projects_channelcredential WHERE app_id = %(app)s),
        (SELECT json_agg(json_build_array(channel, identity) ORDER BY position, id) FROM known),
        (SELECT json_agg(json_build_array(channel, identity)) FROM ({consents.OPTED_OUT}) AS opted_out
            WHERE identity IN (SELECT identity FROM known UNION ALL SELECT unnest(%(given)s::text[])))
"""  # noqa: S608 -- our own text

NO_ROUTE = {
    Verdict.NO_CREDENTIAL: Reason(
        ReasonCode.CHANNEL_CONFIGURATION_MISSING, "The app has no credential for any channel of this message."
    ),
    Verdict.NO_IDENTITY: Reason(
        ReasonCode.NO_CHANNEL_IDENTITY_FOR_CONTACT,
        "The contact has no identity on any channel of this message.",
    ),
    Verdict.OPTED_OUT: Reason(
        ReasonCode.RECIPIENT_NOT_OPTED_IN, "The contact opted out of messages from this app."
    ),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One channel on the route and the router's verdict on it."""

    level: Level
    channel: Channel
    identity: str
    credential_id: str | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class _Known:
    credentials: Mapping[Channel, str]  # by channel the credential's id, in the app's order
    identities: Sequence[Identity]  # the contact's; on app-scoped channels only this app's
    opted_out: set[Identity]


def route(
    *,
    app: App,
    contact: Contact | None,
    given: Sequence[Identity],
    own_order: Sequence[Channel],
    about: ContentType = ContentType.CONTENT_UNKNOWN,
) -> list[Choice]:
    """Every channel that the three priorities name, in order, each with its verdict.

    `given` are the recipient's identities as the request names them, `own_order` its channel_priority_order. The
    message's order, else the order of the identities given, is exhaustive. Else the contact's order comes first
    and the contact's other channels follow in the app's order. Who opted out of what it is `about` is not tried.
    """
    known = _known(app, contact, given, about)
    identities = _identities(given, known.identities)
    order = _order(contact, given, own_order, list(known.credentials), identities)
    choices: list[Choice] = []
    for level, channel in order:
        credential_id = known.credentials.get(channel) if _is_served(channel) else None
        on_it: Sequence[Identity | None] = identities.get(channel) or [None]
        for identity in on_it:
            verdict = _verdict(credential_id, identity, known.opted_out)
            name = identity.identity if identity else ""
            choices.append(Choice(level, channel, name, credential_id, verdict))
    return choices


def no_route_reason(choices: Iterable[Choice]) -> Reason:
    """Why nothing can be tried. A missing credential is what the developer can mend, so it speaks first."""
    verdicts = {choice.verdict for choice in choices}
    for verdict, reason in NO_ROUTE.items():
        if verdict in verdicts:
            return reason
    return NO_ROUTE[Verdict.NO_IDENTITY]


def _known(app: App, contact: Contact | None, given: Sequence[Identity], about: ContentType) -> _Known:
    """In one statement: it is asked with every message."""
    terms = {
        "app": ids.to_uuid(app.id),
        "contact": ids.to_uuid(contact.id) if contact else None,
        "given": [one.identity for one in given],
        "lists": consents.blocking(about),
    }
    ((credentials, identities, opted_out),) = statements.run(_KNOWN, terms)
    by_channel: dict[Channel, str] = {}
    for channel, credential_id in credentials or ():
        by_channel.setdefault(Channel(channel), ids.from_uuid(UUID(credential_id)))
    return _Known(by_channel, _read(identities), set(_read(opted_out)))


def _read(pairs: Iterable[tuple[str, str]] | None) -> list[Identity]:
    return [Identity(Channel(channel), identity) for channel, identity in pairs or ()]


def _order(
    contact: Contact | None,
    given: Sequence[Identity],
    own_order: Sequence[Channel],
    app_order: Sequence[Channel],
    identities: dict[Channel, list[Identity]],
) -> list[tuple[Level, Channel]]:
    if own_order:
        return [(Level.MESSAGE, channel) for channel in dict.fromkeys(own_order)]
    if given:
        return [(Level.MESSAGE, channel) for channel in dict.fromkeys(identity.channel for identity in given)]
    preferred = [Channel(name) for name in contact.channel_priority] if contact else []
    ordered = dict.fromkeys(
        [*preferred, *(channel for channel in app_order if channel in identities), *identities]
    )
    return [(Level.CONTACT if channel in preferred else Level.APP, channel) for channel in ordered]


def _identities(given: Sequence[Identity], known: Sequence[Identity]) -> dict[Channel, list[Identity]]:
    """By channel: those given, else those by which the contact is known."""
    found: dict[Channel, list[Identity]] = {}
    for identity in given:
        found.setdefault(identity.channel, []).append(identity)
    named = set(found)
    for identity in known:
        if identity.channel not in named:
            found.setdefault(identity.channel, []).append(identity)
    return found


def _verdict(credential_id: str | None, identity: Identity | None, opted_out: set[Identity]) -> Verdict:
    if credential_id is None:
        return Verdict.NO_CREDENTIAL
    if identity is None:
        return Verdict.NO_IDENTITY
    return Verdict.OPTED_OUT if identity in opted_out else Verdict.WAITING


def _is_served(channel: Channel) -> bool:
    try:
        adapter(channel)
    except NoAdapter:
        return False
    return True
