"""A webhook that fails is spoken of, and in the end switched off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from werkzeug import Response

from outbox.draining import drain
from outbox.models import Entry
from projects.models import Mail, Role
from tests.factories import make_user, make_webhook
from tests.webhooks.tokens import called, publish
from webhooks import subscribing
from webhooks.models import Attempt, Condition, DeadLetter, Event, Webhook

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def patience(settings) -> None:
    """A window that outlasts the webhook, and few tries in it."""
    settings.WEBHOOK_RETRY_BASE = settings.WEBHOOK_RETRY_CAP = 3600
    settings.WEBHOOK_RETRY_WINDOW = 14 * 24 * 3600


@pytest.fixture
def admin(app) -> Any:
    return make_user(app.project, email="ann@example.com")


def mails() -> list[str]:
    """What was posted, in order."""
    return list(Mail.objects.order_by("created_at", "pk").values_list("about", flat=True))


@pytest.mark.usefixtures("admin")
def test_a_webhook_that_fails_for_hours_is_mailed_about_twice_and_goes_on(app, hook):
    webhook = make_webhook(app, hook(500))
    publish(app)

    drain(horizon=3 * HOUR)
    assert mails() == []
    drain(horizon=7 * HOUR)
    assert mails() == ["webhook failing"]
    drain(horizon=2 * DAY)
    assert mails() == ["webhook failing", "webhook failing"]

    webhook.refresh_from_db()
    assert webhook.disabled_at is None
    assert Entry.objects.exists()


def test_after_five_days_without_a_success_it_is_switched_off_and_nothing_is_lost(
    app, admin, hook, httpserver, settings
):
    settings.ACCOUNT_MANAGER_EMAIL = "manager@example.com"
    make_user(app.project, role=Role.VIEWER, email="reader@example.com")
    webhook = make_webhook(app, hook(500) + "?token=in-the-url")
    publish(app, times=2)

    drain(horizon=6 * DAY)

    webhook.refresh_from_db()
    last = Mail.objects.latest("pk")
    assert webhook.disabled_reason == "It failed for 5 days without a success"
    assert mails() == ["webhook failing", "webhook failing", "webhook disabled"]
    assert last.recipients == [admin.email, "manager@example.com"]
    assert app.display_name in last.subject
    assert f"/admin/webhooks/webhook/{webhook.id}/change/" in last.text
    assert "in-the-url" not in last.text
    assert DeadLetter.objects.count() == 2
    assert not [entry for entry in Entry.objects.all() if entry.lane.kind == "webhook"]


def test_how_long_is_for_the_operator_to_say(app, hook, settings):
    settings.WEBHOOK_DISABLE_AFTER_DAYS = 2
    webhook = make_webhook(app, hook(500))
    publish(app)

    drain(horizon=3 * DAY)

    webhook.refresh_from_db()
    assert webhook.disabled_reason == "It failed for 2 days without a success"


def test_a_success_forgives_what_was_before_it(app, hook):
    make_webhook(app, hook(*[500] * 5, 200, 500))
    publish(app)
    drain(horizon=DAY)
    publish(app)

    drain()

    assert mails() == ["webhook failing"]
    assert Condition.objects.get().warnings == 0
    assert Condition.objects.get().streak == 1


def test_silence_is_no_failure(app, hook, settings, now):
    settings.WEBHOOK_RETRY_WINDOW = 60
    webhook = make_webhook(app, hook(500, 200))
    publish(app)
    drain()
    Condition.objects.update(failing_since=now - 9 * DAY, failed_at=now - 9 * DAY)

    publish(app)
    drain()

    webhook.refresh_from_db()
    assert webhook.disabled_at is None
    assert mails() == []


def test_one_that_is_gone_is_switched_off_at_once_and_its_other_events_can_be_replayed(app, hook, httpserver):
    webhook = make_webhook(app, hook(410))
    publish(app, times=3)

    drain()

    webhook.refresh_from_db()
    assert webhook.disabled_reason.startswith("HTTP 410")
    assert mails() == ["webhook disabled"]
    assert DeadLetter.objects.count() == 3
    assert Attempt.objects.count() == len(called(httpserver))


def test_what_waits_for_a_webhook_that_is_switched_off_is_buried_unsent(app, hook, httpserver, now):
    webhook = make_webhook(app, hook())
    publish(app)
    Webhook.objects.filter(pk=webhook.pk).update(disabled_at=now, disabled_reason="by hand")

    drain()

    letter = DeadLetter.objects.get()
    assert (letter.event_id, letter.reason) == (Event.objects.get().id, "disabled: by hand")
    assert not called(httpserver)
    assert not Attempt.objects.exists()
    assert not Entry.objects.exists()


def test_an_address_that_was_refused_three_times_is_switched_off(app, hook, settings):
    webhook = make_webhook(app, hook())
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    for expected in (True, True, False):
        publish(app)
        drain()
        webhook.refresh_from_db()
        assert (webhook.disabled_at is None) is expected

    assert "may not be called" in webhook.disabled_reason
    assert DeadLetter.objects.count() == 3


def test_its_switching_off_stands_in_the_history_as_nobodys(app, hook):
    webhook = make_webhook(app, hook(410))
    publish(app)

    drain()

    change = webhook.events.latest("pgh_id")  # type: ignore[attr-defined]  # what pghistory adds
    assert (change.pgh_label, change.pgh_context.metadata) == ("update", {"via": "DELIVERY"})


def test_enabled_again_it_begins_anew(app, hook):
    webhook = make_webhook(app, hook(410, 500))
    publish(app)
    drain()
    webhook.refresh_from_db()

    subscribing.enable(webhook)
    publish(app)
    drain()

    webhook.refresh_from_db()
    assert webhook.disabled_at is None
    assert Condition.objects.get().streak == 1


def test_a_removed_webhook_leaves_no_condition(app, hook):
    webhook = make_webhook(app, hook())
    publish(app)
    drain()

    subscribing.remove(webhook)

    assert not Condition.objects.exists()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 422])
def test_4xx_is_tried_again_unless_the_webhook_takes_it_for_final(app, hook, status):
    patient = make_webhook(app, hook(status))
    final = make_webhook(app, hook(status, path="/final"), is_4xx_final=True)
    publish(app)

    drain()

    assert {attempt.webhook_id: attempt.result for attempt in Attempt.objects.all()} == {
        patient.id: "RETRYING",
        final.id: "GIVEN_UP",
    }
    assert DeadLetter.objects.get().reason == f"HTTP {status}"


@pytest.mark.parametrize("status", [302, 429, 500, 503])
def test_what_is_no_4xx_or_asks_for_patience_is_never_final(app, hook, status):
    make_webhook(app, hook(Response(status=status, headers={"Location": "/else"})), is_4xx_final=True)
    publish(app)

    drain()

    assert Attempt.objects.get().result == "RETRYING"
