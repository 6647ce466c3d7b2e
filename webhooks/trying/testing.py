"""Testing: a sample event is sent to a webhook while somebody waits to see what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from django.core.exceptions import ValidationError

from gateway.http import Request, Response, Timings
from projects import ids
from webhooks import subscribing
from webhooks.delivering import receivers
from webhooks.delivering.receivers import Told
from webhooks.models import TargetType, Webhook
from webhooks.triggers import Trigger
from webhooks.trying import samples, verifying, waiting
from webhooks.trying.verifying import Finding

MASKED: Final = "Bearer ****"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One test event, there and back. It is in no log, and counts for nothing."""

    event_id: str
    request: Request
    response: Response
    findings: Sequence[Finding]  # what a receiver finds who checks the signatures; none: it is not signed
    has_enabled: bool  # the webhook, which was switched off

    @property
    def is_success(self) -> bool:
        """Whether the receiver took it."""
        return self.response.is_success

    @property
    def headers(self) -> Mapping[str, str]:
        """Those of the request; a token is masked."""
        if self.request.tag.credentials is None:
            return self.request.headers
        return {**self.request.headers, "Authorization": MASKED}


def send(webhook: Webhook, trigger: Trigger, *, now: datetime) -> Trial:
    """Send the trigger's sample, signed and authorised as any event; success ends its rest, or enables it again.

    Raises ValidationError for a webhook that dismisses, and for a trigger that is never fired.
    """
    if webhook.target_type == TargetType.DISMISS:
        raise ValidationError({"target_type": ["DISMISS: nothing is sent to it"]})
    if trigger not in samples.TRIGGERS:
        raise ValidationError({"trigger": ["is never fired, so there is no sample of it"]})
    sample = samples.body(webhook, trigger, now=now)
    event = Told(
        id=ids.ulid(), app_id=webhook.app_id, body=sample, callback_url="", signed_at=int(now.timestamp())
    )
    receiver = receivers.of_webhook(webhook)
    request, response = waiting.exchange(receiver, event)
    trial = Trial(
        event_id=event.id,
        request=request,
        response=response,
        findings=verifying.check(
            request.headers, request.body, [secret.text for secret in receiver.keyring.secrets]
        ),
        has_enabled=webhook.disabled_at is not None and response.is_success,
    )
    if trial.has_enabled:
        subscribing.enable(webhook)
    elif trial.is_success:
        subscribing.wake(webhook)
    return trial


def phases(timings: Timings) -> dict[str, int]:
    """Milliseconds of each step; those that never were are left out."""
    ends = {
        "Name": timings.dns,
        "Connection": timings.connect,
        "TLS": timings.tls,
        "First byte": timings.first_byte,
        "Rest": timings.total,
    }
    reached = [("", 0.0), *((name, end) for name, end in ends.items() if end > 0)]
    return {name: round(1000 * max(0.0, end - before)) for (_, before), (name, end) in pairwise(reached)}
