"""Profiles: the name by which a channel knows a person.

LookupError
└── NoProfile   the state forbids it: the sentence says what is missing
"""

from __future__ import annotations

from conversations.reaching import routing
from conversations.reaching.sending import Recipient
from gateway import asking, channels
from gateway.channels.abilities import TellsProfile
from gateway.channels.base import Channel
from projects.models import App


class NoProfile(LookupError):
    """The channel cannot be asked, or told no name."""


def name_of(recipient: Recipient, *, app: App, channel: Channel) -> str:
    """Ask the channel, and wait for its answer. Raises NoProfile."""
    choices = routing.route(
        app=app, contact=recipient.contact, given=recipient.identities, own_order=[channel]
    )
    choice = next((choice for choice in choices if choice.identity), None)
    if choice is None:
        raise NoProfile(f"The recipient has no identity on {channel} in this app.")
    if choice.credential_id is None:
        raise NoProfile(f"The app has no credential for {channel}, or nothing here speaks to it.")
    adapter = channels.adapter(channel)
    if not isinstance(adapter, TellsProfile):
        raise NoProfile(f"{channel} tells no names.")
    credential = app.credentials.get(pk=choice.credential_id)
    answer = asking.ask(adapter.ask_profile(choice.identity, credential.for_adapter()))
    name = "" if answer.error else adapter.read_profile(answer)
    if not name:
        raise NoProfile(f"{channel} told no name.")
    return name
