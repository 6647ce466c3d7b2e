"""What the tests of a webhook's pages make and open."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse

from projects import clock
from webhooks.models import Attempt, Event
from webhooks.triggers import Trigger

SECRET = "a-webhook-secret"
HOUR = timedelta(hours=1)


def page(webhook, name="change", *places):
    return reverse(f"admin:webhooks_webhook_{name}", args=[webhook.pk, *places])


def read(client, address, **query):
    return client.get(address, query).content.decode()


def make_event(app, trigger=Trigger.MESSAGE_INBOUND):
    now = clock.now()
    return Event.objects.create(
        app=app, trigger=trigger, body=b'{"text":"what was said"}', accept_time=now, created_at=now - HOUR
    )


def try_(webhook, event, **fields):
    told = {"number": 1, "result": "DELIVERED", "status_code": 200, "started_at": clock.now()} | fields
    return Attempt.objects.create(
        app=event.app, accept_time=event.accept_time, event_id=event.pk, webhook=webhook, **told
    )
