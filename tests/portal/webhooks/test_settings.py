"""The page of a webhook's settings, and those of test events, signatures and the secret."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from gateway import signing
from outbox.models import Lane
from projects import clock
from tests import factories
from tests.portal.pages import form_of
from tests.portal.webhooks.deliveries import SECRET, make_event, page, read, try_
from webhooks import publishing
from webhooks.models import Replay
from webhooks.publishing import About
from webhooks.triggers import MEANINGS, Trigger
from webhooks.trying import samples

pytestmark = pytest.mark.django_db


def test_a_test_event_is_sent_and_what_came_back_is_shown(client, webhook, httpserver):
    sample = read(client, page(webhook, "test"), trigger="OPT_OUT")
    shown = client.post(page(webhook, "test"), {"trigger": "OPT_OUT"}).content.decode()

    assert "OPT_OUT_SUCCEEDED" in sample
    assert len(httpserver.log) == 1
    assert "HTTP 200" in shown
    assert "taken" in shown
    assert "First byte" in shown
    assert SECRET not in shown


def test_a_webhook_that_was_switched_off_is_enabled_by_hand(client, webhook):
    webhook.disabled_at, webhook.disabled_reason = clock.now(), "HTTP 410: the receiver is gone"
    webhook.save()

    said = read(client, page(webhook))
    client.post(page(webhook, "enable"))

    webhook.refresh_from_db()
    assert "HTTP 410: the receiver is gone" in said
    assert webhook.disabled_at is None


def test_to_look_at_the_address_that_enables_changes_nothing(client, webhook):
    webhook.disabled_at = clock.now()
    webhook.save()

    client.get(page(webhook, "enable"))

    webhook.refresh_from_db()
    assert webhook.disabled_at


def test_a_pasted_signature_is_checked(client, webhook):
    body = '{"a":1}'
    headers = signing.headers(body.encode(), SECRET, nonce="n0nce", timestamp=1_790_000_000)
    pasted = "\r\n".join(f"{name}: {value}" for name, value in headers.items())

    valid = client.post(page(webhook, "verify"), {"headers": pasted, "body": body}).content.decode()
    changed = client.post(page(webhook, "verify"), {"headers": pasted, "body": "{}"}).content.decode()

    assert "It fits" in valid
    assert "It does not fit" in changed
    assert SECRET not in valid + changed


def test_a_secret_is_generated_and_shown_once(client, webhook):
    shown = client.post(page(webhook, "secret"), {"rotate": "1", "overlap": 24})

    webhook.refresh_from_db()
    assert webhook.secret != SECRET
    assert shown.context["generated"] == webhook.secret
    assert webhook.secret not in read(client, page(webhook, "secret"))


def test_during_the_overlap_the_old_secret_leads_until_it_is_changed_over(client, webhook):
    client.post(page(webhook, "secret"), {"rotate": "1", "overlap": 24, "new_secret": "another-long-secret"})
    before = client.get(page(webhook, "secret")).context["keyring"]

    client.post(page(webhook, "secret"), {"flip": "1"})
    after = client.get(page(webhook, "secret")).context["keyring"]

    assert (before.leader.text, after.leader.text) == (SECRET, "another-long-secret")
    assert len(after.secrets) == 2


def test_one_box_stands_for_all_triggers_of_a_group(client, webhook):
    address = page(webhook)
    fields = form_of(client, address, "webhook_form")

    client.post(address, fields | {"triggers": ["ALL_CONVERSATIONS", "OPT_IN"]})

    webhook.refresh_from_db()
    assert webhook.triggers == ["CONVERSATION_START", "CONVERSATION_STOP", "CONVERSATION_DELETE", "OPT_IN"]


def test_one_box_stands_for_all_triggers_there_are(client, webhook):
    address = page(webhook)

    client.post(address, form_of(client, address, "webhook_form") | {"triggers": ["ALL"]})

    webhook.refresh_from_db()
    assert webhook.triggers == list(Trigger)


def test_the_page_says_how_the_webhook_is_doing(client, app, webhook):
    for status in (200, 200, 200, 500):
        try_(
            webhook, make_event(app), result="DELIVERED" if status == 200 else "RETRYING", status_code=status
        )

    shown = client.get(page(webhook))

    assert "75 %" in shown.content.decode()
    assert (shown.context["bars"][-1].hour.delivered, shown.context["bars"][-1].hour.failed) == (3, 1)


def test_while_a_webhook_rests_its_pages_say_until_when(client, app, webhook):
    now = clock.now()
    about = About(accepted_time=now, event_time=now)
    publishing.publish(app=app, trigger=Trigger.CONVERSATION_START, payload={}, about=about)
    until = now + timedelta(minutes=5)
    Lane.objects.update(paused_until=until)

    settings, log = (read(client, page(webhook, name)) for name in ("change", "log"))

    assert f'Nothing is sent before <time datetime="{until:%Y-%m-%dT%H:%M:%S}' in settings
    assert "The webhook rests" in log
    assert "after the rest" in log


def test_each_trigger_that_is_fired_has_a_sample_to_look_at(client):
    form = read(client, reverse("admin:webhooks_webhook_add"))

    for trigger in samples.TRIGGERS:
        address = reverse("admin:webhooks_webhook_sample", args=[trigger])
        assert f'href="{address}"' in form
        assert MEANINGS[trigger] in read(client, address)
    assert (
        client.get(reverse("admin:webhooks_webhook_sample", args=["SMART_CONVERSATION"])).status_code == 404
    )


def test_a_viewer_reads_everything_and_does_nothing(viewer, app, webhook, httpserver):
    event = make_event(app)
    try_(webhook, event)
    running = factories.make_replay(webhook)

    read_pages = [viewer.get(page(webhook, name)) for name in ("log", "replay", "test", "verify", "secret")]
    read_pages += [
        viewer.get(page(webhook, "delivery", event.pk)),
        viewer.get(page(webhook, "progress", running.pk)),
    ]
    done = [viewer.post(page(webhook, name)) for name in ("replay", "test", "verify", "secret", "enable")]
    done += [
        viewer.post(page(webhook, "again", event.pk)),
        viewer.post(page(webhook, "progress", running.pk)),
    ]

    assert {answer.status_code for answer in read_pages} == {200}
    assert not any('method="post" action="/admin/webhooks' in one.content.decode() for one in read_pages)
    assert {answer.status_code for answer in done} == {403}
    assert not httpserver.log
    running.refresh_from_db()
    assert running.state == Replay.State.RUNNING
