"""Rotating secrets: a webhook gets a new one, and its receiver has time to learn it."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction

from gateway import signing
from gateway.channels.credentials import is_mask
from webhooks.models import RetiredSecret, Webhook

NO_OVERLAP: Final = timedelta(0)
USUAL_OVERLAP: Final = timedelta(hours=24)
LONGEST_OVERLAP: Final = timedelta(days=7)
MOST_LIVE: Final = 3  # secrets of one webhook
RANDOM_BYTES: Final = 32


@transaction.atomic
def rotate(
    webhook: Webhook, *, new_secret: str | None = None, overlap: timedelta = USUAL_OVERLAP, now: datetime
) -> None:
    """Sign with a new secret, made up unless one is given, and for `overlap` with the old one too.

    Until then the header that has room for one signature stays with the old secret: `flip` moves it. Without an
    overlap the new one is all there is. Raises ValidationError where that cannot be.
    """
    held = _held(webhook)
    if not NO_OVERLAP <= overlap <= LONGEST_OVERLAP:
        raise ValidationError({"overlap": ["is 0 to 7 days"]})
    if new_secret in ("", held.secret) or is_mask(new_secret or ""):
        raise ValidationError({"secret": ["must be a new one"]})
    if overlap and held.secret:
        _retire(held, not_after=now + overlap, now=now)
    else:
        forget(held)
    held.secret = new_secret or made_up()
    held.secret_number += 1
    held.save(update_fields=["secret", "secret_number", "overlap_ends_at"])
    webhook.refresh_from_db()


@transaction.atomic
def flip(webhook: Webhook) -> None:
    """Sign the header that has room for one signature with the newest secret from now on."""
    RetiredSecret.objects.filter(webhook=_held(webhook)).update(leads=False)


def made_up() -> str:
    """A secret that both families of headers can be verified with by what is on the market."""
    return signing.STANDARD_PREFIX + base64.b64encode(secrets.token_bytes(RANDOM_BYTES)).decode()


def forget(webhook: Webhook) -> None:
    """Sign with none of its former secrets any more; the caller saves the webhook."""
    webhook.retired_secrets.all().delete()
    webhook.overlap_ends_at = None


def tidy(*, now: datetime) -> None:
    """Delete the secrets whose time is over."""
    RetiredSecret.objects.filter(not_after__lte=now).delete()
    Webhook.objects.filter(overlap_ends_at__lte=now).update(overlap_ends_at=None)


def _held(webhook: Webhook) -> Webhook:
    """As it is now, locked: of two who rotate at once the second sees what the first did."""
    return Webhook.objects.select_for_update(no_key=True).get(pk=webhook.pk)


def _retire(webhook: Webhook, *, not_after: datetime, now: datetime) -> None:
    webhook.retired_secrets.filter(not_after__lte=now).delete()
    if webhook.retired_secrets.count() + 2 > MOST_LIVE:
        raise ValidationError(
            {"secret": [f"{MOST_LIVE} secrets are live: wait until one ends, or rotate without an overlap"]}
        )
    RetiredSecret.objects.create(
        webhook=webhook, number=webhook.secret_number, secret=webhook.secret, not_after=not_after
    )
    webhook.overlap_ends_at = max(not_after, webhook.overlap_ends_at or not_after)
