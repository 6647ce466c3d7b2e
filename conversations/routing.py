"""Which channels a message is tried on, and in which order: message > contact > app."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contacts import consents
from contacts.consents import ContentType
from contacts.models import Contact
from contacts.resolving import Identity
from conversations.models import Candidate
from gateway.channels import NoAdapter, adapter
from gateway.channels.base import APP_SCOPED, Channel, Reason, ReasonCode
from projects.models import App, ChannelCredential

Level = Candidate.Level
Verdict = Candidate.Verdict

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
    credential: ChannelCredential | None
    verdict: Verdict


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
    credentials = {Channel(row.channel): row for row in reversed(app.credentials.all())}
    identities = _identities(app, contact, given)
    order = _order(contact, given, own_order, list(reversed(credentials)), identities)
    opted_out = consents.opted_out(
        app=app, identities=[one for found in identities.values() for one in found], about=about
    )
    choices: list[Choice] = []
    for level, channel in order:
        credential = credentials.get(channel) if _is_served(channel) else None
        known: Sequence[Identity | None] = identities.get(channel) or [None]
        for identity in known:
            verdict = _verdict(credential, identity, opted_out)
            choices.append(Choice(level, channel, identity.identity if identity else "", credential, verdict))
    return choices


def no_route_reason(choices: Iterable[Choice]) -> Reason:
    """Why nothing can be tried. A missing credential is what the developer can mend, so it speaks first."""
    verdicts = {choice.verdict for choice in choices}
    for verdict, reason in NO_ROUTE.items():
        if verdict in verdicts:
            return reason
    return NO_ROUTE[Verdict.NO_IDENTITY]


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


def _identities(
    app: App, contact: Contact | None, given: Sequence[Identity]
) -> dict[Channel, list[Identity]]:
    """By channel: those given, else the contact's own; on app-scoped channels only this app's."""
    found: dict[Channel, list[Identity]] = {}
    for identity in given:
        found.setdefault(identity.channel, []).append(identity)
    named = set(found)
    for row in contact.identities.all() if contact else ():
        channel = Channel(row.channel)
        if channel not in named and (channel not in APP_SCOPED or row.app_id == app.id):
            found.setdefault(channel, []).append(Identity(channel, row.identity))
    return found


def _verdict(
    credential: ChannelCredential | None, identity: Identity | None, opted_out: set[Identity]
) -> Verdict:
    if credential is None:
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
