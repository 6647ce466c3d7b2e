"""Subscribing: webhooks are made, changed and removed; the rest of their rules the database keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict, Unpack

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from gateway.channels.credentials import IS_A_MASK, is_mask, mask
from outbox import entries, lanes
from projects import ids
from projects.models import App
from webhooks import rotating
from webhooks.models import Webhook
from webhooks.publishing import WEBHOOK
from webhooks.repeating import replaying
from webhooks.tending import watching

# Where each stands on the wire.
SECRETS = {"secret": "secret", "client_secret": "client_credentials.client_secret"}


class Wishes(TypedDict, total=False):
    """What may be chosen; the app may not change."""

    target: str
    target_type: str
    secret: str
    triggers: Sequence[str]
    client_id: str
    client_secret: str
    token_endpoint: str
    token_scope: str
    token_response_type: str
    token_request_type: str
    is_4xx_final: bool


@transaction.atomic
def create(*, app: App, **wishes: Unpack[Wishes]) -> Webhook:
    """A new webhook of the app.

    Raises ValidationError when the app has as many as it may, or one with this target, or a secret is a mask.
    """
    _wait_for_turn(app.id)
    _refuse_masks(wishes)
    if app.webhooks.count() >= settings.MAX_WEBHOOKS_PER_APP:
        raise ValidationError(
            f"An app has at most {settings.MAX_WEBHOOKS_PER_APP} webhooks.", code="too_many"
        )
    webhook = Webhook(app=app, project_id=app.project_id, **wishes)
    webhook.validate_constraints()
    webhook.save(force_insert=True)
    entries.open_lane(WEBHOOK, ids.to_uuid(webhook.id))
    return webhook


@transaction.atomic
def change(webhook: Webhook, **wishes: Unpack[Wishes]) -> None:
    """Set these fields and leave the others; a secret that comes back masked stays as it is.

    A new secret replaces the old ones at once: `webhooks.rotating` gives them time. A new target is called even if the old one was switched off. Raises ValidationError when another webhook
    of the app has the target, or a mask is not that of the stored secret.
    """
    _wait_for_turn(webhook.app_id)
    changed = {name: value for name, value in wishes.items() if not _is_stored(webhook, name, value)}
    _refuse_masks(changed)
    if "target" in changed:
        changed |= {"disabled_at": None, "disabled_reason": ""}
        watching.forget(webhook.id)
        wake(webhook)
    if "secret" in changed:
        rotating.forget(webhook)
        changed |= {"secret_number": webhook.secret_number + 1, "overlap_ends_at": None}
    for name, value in changed.items():
        setattr(webhook, name, value)
    webhook.validate_constraints()
    webhook.save(update_fields=changed)


@transaction.atomic
def enable(webhook: Webhook) -> None:
    """Call it again after it was switched off; how it failed before no longer counts."""
    watching.forget(webhook.id)
    wake(webhook)
    webhook.disabled_at, webhook.disabled_reason = None, ""
    webhook.save(update_fields=["disabled_at", "disabled_reason"])


def wake(webhook: Webhook) -> None:
    """End its rest, be it for failing or because it asked for one: it is well now."""
    lanes.wake(WEBHOOK, ids.to_uuid(webhook.id))


@transaction.atomic
def remove(webhook: Webhook) -> None:
    """Delete it with all that still waits to be delivered to it. Its log stays until it is old."""
    entries.close(WEBHOOK, ids.to_uuid(webhook.id))
    replaying.abandon(webhook)
    watching.drop(webhook.id)
    webhook.delete()


def _wait_for_turn(app_id: str) -> None:
    """One at a time for an app, until the end of the transaction: so the rules over its webhooks hold."""
    if not App.objects.living().select_for_update(no_key=True).filter(pk=app_id):
        raise ValidationError("This app has just been deleted.")


def _refuse_masks(wishes: Mapping[str, object]) -> None:
    for name, place in SECRETS.items():
        if is_mask(str(wishes.get(name, ""))):
            raise ValidationError({place: IS_A_MASK})


def _is_stored(webhook: Webhook, name: str, value: object) -> bool:
    stored = getattr(webhook, name)
    return value == stored or (name in SECRETS and stored != "" and value == mask(stored))
