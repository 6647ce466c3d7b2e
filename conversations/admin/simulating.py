"""A contact writes, without a phone: the sandbox's own callback, through the channels' door."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms

from contacts.models import ChannelIdentity, Contact
from conversations.hearing import receiving
from gateway.channels import sandbox
from projects import ids
from projects.models import ChannelCredential


class SimulationForm(forms.Form):
    """Who writes, to which app, what."""

    pair = forms.ChoiceField(label="From and to")
    text = forms.CharField(label="Text", max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, contact: Contact, data: Any = None) -> None:
        super().__init__(data, prefix="simulate")
        self.pairs = {
            f"{identity.pk}-{credential.pk}": (identity, credential)
            for identity, credential in pairs(contact)
        }
        self.fields["pair"].choices = [  # type: ignore[attr-defined]  # a ChoiceField
            (name, f"{identity} to {credential.app}") for name, (identity, credential) in self.pairs.items()
        ]

    @property
    def is_possible(self) -> bool:
        """Whether the sandbox serves any channel between the contact and an app."""
        return bool(self.pairs)

    def play(self, *, now: datetime) -> ChannelCredential:
        """Take the text in as if the contact had written it. Raises receiving.Refused."""
        identity, credential = self.pairs[self.cleaned_data["pair"]]
        write(identity, credential, self.cleaned_data["text"], now=now)
        return credential


def pairs(contact: Contact) -> Sequence[tuple[ChannelIdentity, ChannelCredential]]:
    """Each identity on a sandboxed channel, with each credential that could hear it."""
    living = ChannelCredential.objects.filter(app__project=contact.project_id, app__deleted_at=None)
    credentials = [
        one for one in living.select_related("app").order_by("app_id", "position") if one.is_sandboxed
    ]
    return [
        (identity, credential)
        for identity in contact.identities.all()
        for credential in credentials
        if identity.channel == credential.channel and identity.app_id in (None, credential.app_id)
    ]


def write(identity: ChannelIdentity, credential: ChannelCredential, text: str, *, now: datetime) -> None:
    """The person behind the identity writes to the credential's app. Raises receiving.Refused."""
    known = credential.for_adapter()
    echo = sandbox.inbound_callback(
        identity.identity, {"text_message": {"text": text}},
        credential=known, channel_message_id=f"{ids.ulid()}-simulated", profile_name=identity.contact.display_name,
    )  # fmt: skip
    receiving.receive_callback(
        credential, headers=echo.headers, body=echo.body, url=credential.callback_url, now=now
    )
