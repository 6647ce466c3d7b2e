"""Pauses: a receiver asks to be left alone for a while, and is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from werkzeug import Response

from outbox.draining import drain
from tests.factories import make_webhook
from tests.webhooks.delivering import publish, requests, wait_of
from webhooks.models import Attempt


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_who_asks_for_a_pause_gets_it_for_all_events(app, hook, httpserver, status):
    make_webhook(app, hook(Response(status=status, headers={"Retry-After": "120"}), 200))
    publish(app)
    drain()
    publish(app)

    drain(horizon=timedelta(seconds=110))

    assert len(requests(httpserver)) == 1
    assert wait_of(Attempt.objects.get()) >= timedelta(seconds=120)


def test_a_pause_may_be_asked_for_until_a_date(app, hook):
    soon = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
    make_webhook(app, hook(Response(status=503, headers={"Retry-After": soon})))
    publish(app)

    drain()

    wait = wait_of(Attempt.objects.get())
    assert timedelta(seconds=295) <= wait <= timedelta(seconds=305)


@pytest.mark.parametrize("asked", ["never", "-5", "Mon, 99 Foo 2026", "0", ""])
def test_a_pause_that_makes_no_sense_changes_nothing(app, hook, asked):
    make_webhook(app, hook(Response(status=503, headers={"Retry-After": asked})))
    publish(app)

    drain()

    assert wait_of(Attempt.objects.get()) < timedelta(seconds=10)


def test_no_receiver_can_ask_for_more_than_an_hour(app, hook):
    make_webhook(app, hook(Response(status=429, headers={"Retry-After": "999999"})))
    publish(app)

    drain()

    wait = wait_of(Attempt.objects.get())
    assert timedelta(hours=1) <= wait <= timedelta(hours=1, seconds=5)


def test_no_pause_is_longer_than_the_cap(app, hook, httpserver, settings):
    settings.WEBHOOK_RETRY_CAP = 20
    make_webhook(app, hook(Response(status=429, headers={"Retry-After": "3600"}), 200))
    publish(app)

    drain(horizon=timedelta(seconds=25))

    assert len(requests(httpserver)) == 2
