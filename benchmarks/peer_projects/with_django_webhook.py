"""With django-webhook, as its documentation says: a row that is saved becomes a Celery task for each webhook."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import django
from celery import Celery

from benchmarks import letters
from benchmarks.bare import ENDPOINTS

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.peer_projects.settings"
app = Celery("peer", broker=os.environ["BROKER_URL"])  # before django-webhook asks which is the current one
django.setup()

from django.contrib.sessions.models import Session  # noqa: E402 -- Django is set up only now
from django.core.management import call_command  # noqa: E402 -- as above
from django_webhook.models import Webhook, WebhookTopic  # type: ignore[import-not-found]  # noqa: E402 -- as above


def fill(url: str, count: int) -> None:
    """Save as many rows as it takes: each is told to every endpoint."""
    call_command("migrate", verbosity=0)
    topic, is_new = WebhookTopic.objects.get_or_create(name="sessions.Session/create")
    for number in range(ENDPOINTS if is_new else 0):
        webhook = Webhook.objects.create(url=f"{url}/ok/{number}")
        webhook.topics.add(topic)
        webhook.secrets.create(token=letters.SECRET)
    Session.objects.all().delete()
    for mark in range(count // ENDPOINTS):
        text = letters.body(mark).decode()
        Session.objects.create(session_key=str(mark), session_data=text, expire_date=datetime.now(UTC))
