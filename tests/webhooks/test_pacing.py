"""All events of an app keep to its `rate_limits.webhooks`, wherever they go."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from outbox.kinds import Pace, Paced, registered
from outbox.models import Lane
from projects import ids
from tests.factories import make_app, make_webhook
from webhooks.delivering import pacing
from webhooks.publishing import CALLBACK_URL, WEBHOOK, About, publish
from webhooks.triggers import Trigger

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def publish_at(app, callback_url):
    about = About(accepted_time=NOW, event_time=NOW)
    publish(app=app, trigger=Trigger.MESSAGE_DELIVERY, payload={}, about=about, callback_url=callback_url)


def test_webhooks_of_an_app_share_its_rate(django_assert_num_queries):
    app, other = make_app(webhook_rate=25), make_app(webhook_rate=0)
    rows = [make_webhook(app, f"https://hooks.example.com/{n}") for n in range(3)]
    owners = [ids.to_uuid(row.id) for row in [*rows, make_webhook(other)]]

    with django_assert_num_queries(1):
        paces = pacing.webhooks([*owners, uuid4()])

    assert paces == dict.fromkeys(owners[:3], Pace(f"webhooks of {app.id}", 25))


def test_what_goes_to_a_callback_url_counts_for_the_same_app(django_assert_num_queries):
    app, other = make_app(webhook_rate=25), make_app(webhook_rate=3)
    for port in (8443, 9443):
        publish_at(app, f"https://hooks.example.com:{port}/")
    publish_at(other, "https://hooks.example.com/")
    owners = list(Lane.objects.filter(kind=CALLBACK_URL).order_by("id").values_list("owner", flat=True))

    with django_assert_num_queries(2):
        paces = pacing.callback_urls([*owners, uuid4()])

    shared, own = Pace(f"webhooks of {app.id}", 25), Pace(f"webhooks of {other.id}", 3)
    assert paces == dict(zip(owners, [shared, shared, own], strict=True))


@pytest.mark.parametrize("name", [WEBHOOK, CALLBACK_URL])
def test_the_outbox_asks_for_them(name):
    kind = registered()[name]

    assert isinstance(kind, Paced)
    assert kind.paces([uuid4()]) == {}
