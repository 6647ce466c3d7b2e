from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from outbox.models import Lane
from projects import ids
from tests.factories import make_app, make_webhook
from webhooks import subscribing
from webhooks.models import Webhook
from webhooks.publishing import WEBHOOK

AT_ONCE = 8


@pytest.mark.django_db(transaction=True)
def test_the_fifth_webhook_is_the_last_even_when_many_come_at_once():
    app = make_app()

    def create(number: int) -> bool:
        try:
            subscribing.create(app=app, target=f"https://{number}.example/")
        except ValidationError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(AT_ONCE) as threads:
        outcomes = list(threads.map(create, range(AT_ONCE)))

    assert sum(outcomes) == Webhook.objects.count() == 5


def test_a_webhook_that_was_switched_off_is_called_again(app, now):
    webhook = make_webhook(app, disabled_at=now, disabled_reason="HTTP 410: the receiver is gone")

    subscribing.enable(webhook)

    assert Webhook.objects.called().get() == webhook


@pytest.mark.parametrize(
    "repair", [subscribing.enable, lambda webhook: subscribing.change(webhook, target="https://new.example/")]
)
def test_one_that_is_enabled_again_or_moved_rests_no_longer(app, now, repair):
    webhook = make_webhook(app, disabled_at=now, disabled_reason="It failed for 5 days")
    Lane.objects.create(
        kind=WEBHOOK, owner=ids.to_uuid(webhook.id), trips=9, paused_until=now + timedelta(hours=6)
    )

    repair(webhook)

    assert Lane.objects.filter(paused_until=None, trips=0).exists()


def test_a_change_leaves_alone_what_another_changed_meanwhile(app):
    webhook = make_webhook(app)
    subscribing.change(Webhook.objects.get(pk=webhook.pk), triggers=["OPT_IN"])

    subscribing.change(webhook, secret="another-secret")

    webhook.refresh_from_db()
    assert (webhook.triggers, webhook.secret) == (["OPT_IN"], "another-secret")
