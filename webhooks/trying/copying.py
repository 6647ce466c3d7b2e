"""Copying: an event that is kept is sent to any URL, once, for whoever looks for a fault in a receiver."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from gateway.http import Response
from webhooks.delivering import delivery, receivers
from webhooks.delivering.masking import masked
from webhooks.delivering.receivers import Receiver, Told
from webhooks.models import Attempt, Event, Webhook, may_be_called
from webhooks.trying import waiting


def send(webhook: Webhook, event: Event, url: str, *, now: datetime) -> Attempt:
    """Send it with the same id and body, signed anew as the webhook signs, and without the webhook's token.

    It is logged beside the webhook's own tries, and counts for nothing. Raises ValidationError for a URL that may
    not be called.
    """
    may_be_called(url)
    whole = receivers.of_webhook(webhook)
    receiver = replace(whole, url=url, webhook_id=None, credentials=None)
    told = Told(event.id, event.app_id, bytes(event.body), url, signed_at=int(now.timestamp()))
    _, response = waiting.exchange(receiver, told)
    attempt = _attempt(event, receiver, masked(response, whole.secrets), now=now)
    with transaction.atomic():
        if Event.objects.select_for_update().filter(pk=event.pk).exists():  # not purged meanwhile
            attempt.save()
    return attempt


def _attempt(event: Event, receiver: Receiver, shown: Response, *, now: datetime) -> Attempt:
    return Attempt(
        app_id=event.app_id,
        message_id=event.message_id,
        accept_time=event.accept_time,
        event_id=event.id,
        callback_url=receiver.url,
        number=1,
        result=Attempt.Result.DELIVERED if shown.is_success else Attempt.Result.GIVEN_UP,
        status_code=shown.status or None,
        error=shown.error,
        detail=shown.detail[:500],
        started_at=now,
        signed_with=receiver.keyring.numbers,
        **delivery.answer(shown),
    )
