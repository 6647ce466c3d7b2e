"""What a client may say about contacts: the bodies and query parameters of this room's API."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ValidationError

from contacts.models import Contact
from contacts.payloads import NAMELESS
from contacts.writing import ScopedIdentity
from gateway import channels
from gateway.channels.base import APP_SCOPED, Channel
from projects.requests.inputs import Input, Inputs, Listing, OneOf, Text


class ScopedIdentityBody(Input):
    """The contract's ChannelIdentity."""

    channel = OneOf(Channel)
    identity = Text()
    app_id = Text(default="")

    def validate(self, attrs: dict[str, Any]) -> ScopedIdentity:
        """With an app where the channel scopes identities to apps, and nowhere else."""
        channel, app_id = attrs["channel"], attrs["app_id"]
        identity = normalised(channel, attrs["identity"])
        if channel in APP_SCOPED and not app_id:
            raise ValidationError({"app_id": [f"is required on {channel}"]})
        if channel not in APP_SCOPED and app_id:
            problem = f"must be empty on {channel}: it does not scope identities to apps"
            raise ValidationError({"app_id": [problem]})
        return ScopedIdentity(channel, identity, app_id or None)


class ContactBody(Input):
    """The contract's Contact, as far as a client writes it."""

    channel_identities = Inputs(child=ScopedIdentityBody(), allow_empty=False, source="identities")
    channel_priority = Listing(child=OneOf(Channel), default=list)
    display_name = Text.of(Contact, "display_name")
    email = Text.of(Contact, "email")
    external_id = Text.of(Contact, "external_id")
    language = OneOf.of(Contact, "language")
    metadata = Text.of(Contact, "metadata")

    def validate_display_name(self, name: str) -> str:
        """Who has no name is shown with one, and comes back so from clients that write what they read."""
        return "" if name == NAMELESS else name

    def validate_channel_identities(self, identities: list[ScopedIdentity]) -> list[ScopedIdentity]:
        """Each once, compared as they are kept."""
        for index, one in enumerate(identities):
            if one in identities[:index]:
                raise ValidationError({index: ["is listed twice"]})  # type: ignore[dict-item]  # as DRF's own lists
        return identities

    def validate_channel_priority(self, priority: list[Channel]) -> list[Channel]:
        """Each channel once."""
        if len(set(priority)) < len(priority):
            raise ValidationError("must not list a channel twice")
        return priority


class ContactFilter(Input):
    """The contact list's query parameters."""

    external_id = Text(required=False)
    channel = OneOf(Channel, required=False)
    identity = Text(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """By external id, or by an identity, or by neither."""
        asked = attrs.keys() & {"channel", "identity"}
        if asked and "external_id" in attrs:
            raise ValidationError("Filter by external_id, or by channel and identity, not by both.")
        if len(asked) == 1:
            missing = "identity" if "channel" in asked else "channel"
            raise ValidationError({missing: ["is needed: channel and identity filter together"]})
        if asked:
            attrs["identity"] = normalised(attrs["channel"], attrs["identity"])
        return attrs


def normalised(channel: Channel, identity: str) -> str:
    """The identity as it is kept and compared. Raises ValidationError."""
    try:
        return channels.normalise(channel, identity)
    except ValueError as error:
        raise ValidationError({"identity": [str(error)]}) from error
