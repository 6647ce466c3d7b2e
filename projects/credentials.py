"""An app's channel credentials: replaced whole, in the order that is the app's channel priority."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction

from gateway.channels import is_sandboxed
from gateway.channels.base import Channel
from gateway.channels.credentials import IS_A_MASK, check, is_mask, mask, unmasked
from projects.models import App, ChannelCredential, CredentialStatus

LONGEST_CALLBACK_SECRET: Final = 256  # characters: wire contract 3.2
LARGEST_ORDINAL_NUMBER: Final = 2**31 - 1  # what the column holds


_Stored = Mapping[tuple[str, int], ChannelCredential]  # by channel and ordinal number


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A credential as it shall be. A secret may be the stored one's mask: then that one stays."""

    channel: Channel
    key: str
    values: Mapping[str, Any] = field(repr=False)
    callback_secret: str = field(default="", repr=False)
    ordinal_number: int = 0


@transaction.atomic
def replace(app: App, wanted: Sequence[Wanted]) -> None:
    """Give the app these credentials, in this order, and no others.

    One whose channel and ordinal number stay keeps its id, and so its callback URL. One that stays as it is stored
    is not judged anew. Raises ValidationError with the fields' paths, e.g. `channel_credentials[0].static_bearer.token`.
    """
    stored = {(row.channel, row.ordinal_number): row for row in _standing(app)}
    whole = [_restored(one, stored.get((one.channel, one.ordinal_number))) for one in wanted]
    if problems := [*_misfits(whole, stored), *_repetitions(whole)]:
        raise ValidationError({f"channel_credentials{path}": problem for path, problem in problems})
    kept = {(one.channel, one.ordinal_number) for one in whole}
    app.credentials.exclude(pk__in=[row.pk for place, row in stored.items() if place in kept]).delete()
    for position, one in enumerate(whole):
        row = stored.get((one.channel, one.ordinal_number)) or ChannelCredential(app=app)
        _write(row, one, position=position)


@transaction.atomic
def put(credential: ChannelCredential) -> None:
    """Write one as it is here, in its present place or last; the app's others stay. Raises ValidationError."""
    rows = [credential if row == credential else row for row in _standing(credential.app)]
    replace(credential.app, [_as_it_is(row) for row in dict.fromkeys([*rows, credential])])


@transaction.atomic
def arrange(app: App, credential_ids: Sequence[str]) -> None:
    """Leave the app these of its credentials, in this order."""
    standing = {row.pk: row for row in _standing(app)}
    replace(app, [_as_it_is(standing[id_]) for id_ in credential_ids if id_ in standing])


@transaction.atomic
def disconnect(credential: ChannelCredential) -> None:
    """Take it from its app; those after it move up."""
    arrange(credential.app, [row.pk for row in _standing(credential.app) if row != credential])


def _standing(app: App) -> list[ChannelCredential]:
    """Those that the app has, which nobody else changes until the end of the transaction."""
    App.objects.select_for_update(no_key=True).get(pk=app.pk)
    return list(app.credentials.all())


def _as_it_is(row: ChannelCredential) -> Wanted:
    return Wanted(
        channel=Channel(row.channel), key=row.key, values=row.values,
        callback_secret=row.callback_secret, ordinal_number=row.ordinal_number,
    )  # fmt: skip


def _restored(wanted: Wanted, stored: ChannelCredential | None) -> Wanted:
    """The same, with the stored secret wherever its mask came back."""
    if stored is None or not isinstance(wanted.values, Mapping):
        return wanted
    values, secret = wanted.values, wanted.callback_secret
    if stored.key == wanted.key:
        values = unmasked(values, stored.values, wanted.key)
    if secret == mask(stored.callback_secret):
        secret = stored.callback_secret
    return dataclasses.replace(wanted, values=values, callback_secret=secret)


def _misfits(wanted: Sequence[Wanted], stored: _Stored) -> Iterator[tuple[str, str]]:
    """What is wrong with each credential by itself."""
    for index, one in enumerate(wanted):
        # A schema that has changed since is no reason to refuse another order.
        row = stored.get((one.channel, one.ordinal_number))
        if row and one == _as_it_is(row):
            continue
        for path, problem in check(one.channel, one.key, one.values):
            yield f"[{index}].{path}", problem
        if not 0 <= one.ordinal_number <= LARGEST_ORDINAL_NUMBER:
            yield f"[{index}].credential_ordinal_number", f"must be 0 to {LARGEST_ORDINAL_NUMBER}"
        if len(one.callback_secret) > LONGEST_CALLBACK_SECRET:
            yield f"[{index}].callback_secret", f"must have at most {LONGEST_CALLBACK_SECRET} characters"
        if is_mask(one.callback_secret):
            yield f"[{index}].callback_secret", IS_A_MASK


def _repetitions(wanted: Sequence[Wanted]) -> Iterator[tuple[str, str]]:
    """LINE alone may have several, each with its own number."""
    seen = set()
    for index, one in enumerate(wanted):
        place = (one.channel, one.ordinal_number if one.channel == Channel.LINE else 0)
        if place in seen and one.channel == Channel.LINE:
            yield f"[{index}].credential_ordinal_number", f"{one.ordinal_number} is already taken on LINE"
        elif place in seen:
            yield f"[{index}].channel", f"{one.channel} already has a credential in this app"
        seen.add(place)


def _write(row: ChannelCredential, wanted: Wanted, *, position: int) -> None:
    values = dict(wanted.values)
    changed = row._state.adding or row.key != wanted.key or row.values != values
    row.position = position
    row.channel, row.ordinal_number, row.key = wanted.channel, wanted.ordinal_number, wanted.key
    row.values, row.callback_secret = values, wanted.callback_secret
    if changed:  # whether the old one worked says nothing of the new one
        row.status = CredentialStatus.ACTIVE if is_sandboxed(wanted.channel) else CredentialStatus.PENDING
        row.status_description = ""
    row.save()
