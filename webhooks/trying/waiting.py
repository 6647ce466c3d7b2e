"""Waiting: one request to a receiver, while a person waits to see what comes back."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from django.conf import settings

from gateway.asking import ask
from gateway.http import Request, Response
from webhooks.delivering import delivery
from webhooks.delivering.authorising import Authoriser
from webhooks.delivering.masking import masked
from webhooks.delivering.receivers import Receiver, Told

PATIENCE: Final = 10.0  # seconds: a thread of the web waits too


def exchange(receiver: Receiver, told: Told) -> tuple[Request, Response]:
    """The request as any delivery makes it, authorised and signed, and the answer without the receiver's secrets."""
    timeout = min(PATIENCE, float(settings.WEBHOOK_TIMEOUT))
    request = replace(delivery.request(receiver, told), timeout=timeout)
    response = ask(request, by=lambda client: Authoriser(client).send)
    return request, masked(response, receiver.secrets)
