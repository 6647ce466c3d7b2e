from __future__ import annotations

from datetime import datetime, timedelta

import orjson
import pytest
from django.db import transaction

from outbox.models import Entry, Lane
from projects import ids
from tests.factories import make_app, make_project, make_webhook
from webhooks import publishing
from webhooks.models import Attempt, DeadLetter, Event, TargetType, Webhook
from webhooks.publishing import About
from webhooks.triggers import BODY_KEYS, Trigger


def about(now: datetime, **fields) -> About:
    return About(accepted_time=now, event_time=now, **fields)


def publish(app, now, trigger=Trigger.MESSAGE_DELIVERY, payload=None, **fields) -> None:
    payload = {"message_id": "m"} if payload is None else payload
    publishing.publish(app=app, trigger=trigger, payload=payload, about=about(now, **fields))


def waiting_for(webhook: Webhook) -> list[str]:
    """The ids of the events that are on their way to the webhook."""
    lane = Lane.objects.filter(kind="webhook", owner=ids.to_uuid(webhook.id)).first()
    return [ids.from_uuid(entry.ref) for entry in Entry.objects.filter(lane=lane)] if lane else []


def test_an_event_reaches_every_webhook_that_listens_and_no_other(app, now):
    first = make_webhook(app, "https://a.example/", triggers=[Trigger.MESSAGE_DELIVERY, Trigger.OPT_IN])
    second = make_webhook(app, "https://b.example/", triggers=[Trigger.MESSAGE_DELIVERY])
    deaf = make_webhook(app, "https://c.example/", triggers=[Trigger.MESSAGE_INBOUND])
    stranger = make_webhook(make_app(), "https://a.example/")

    publish(app, now)

    event = Event.objects.get()
    assert waiting_for(first) == waiting_for(second) == [event.id]
    assert waiting_for(deaf) == waiting_for(stranger) == []


def test_the_envelope_says_whose_it_is_and_when_it_happened(app, now):
    make_webhook(app)
    seen_at = now + timedelta(microseconds=7)

    publishing.publish(
        app=app,
        trigger=Trigger.MESSAGE_DELIVERY,
        payload={"message_id": "m", "reason": None},
        about=About(accepted_time=now, event_time=seen_at, message_metadata="order-7", correlation_id="c-1"),
    )

    assert orjson.loads(bytes(Event.objects.get().body)) == {
        "app_id": app.id,
        "project_id": str(app.project_id),
        "accepted_time": "2026-03-02T12:00:00Z",
        "event_time": "2026-03-02T12:00:00.000007Z",
        "message_metadata": "order-7",
        "correlation_id": "c-1",
        "message_delivery_report": {"message_id": "m", "reason": None},
    }


def test_every_trigger_has_its_body_key():
    assert set(BODY_KEYS) == set(Trigger)


def test_duplicated_identities_stand_under_both_keys(app, now):
    make_webhook(app)
    duplicated = [{"channel": "SMS", "contact_ids": ["a", "b"]}]

    publish(app, now, Trigger.CONTACT_IDENTITIES_DUPLICATION, {"duplicated_identities": duplicated})

    body = orjson.loads(bytes(Event.objects.get().body))
    assert body["duplicated_identities"] == duplicated
    assert body["duplicated_contact_identities_notification"] == {"duplicated_identities": duplicated}


def test_an_event_goes_with_its_message(app, now):
    make_webhook(app)
    message_id = ids.ulid()

    publish(app, now, message_id=message_id, accept_time=now - timedelta(days=3))

    event = Event.objects.get()
    assert (event.message_id, event.accept_time) == (message_id, now - timedelta(days=3))


def test_an_event_without_a_message_is_as_old_as_its_acceptance(app, now):
    make_webhook(app)

    publish(app, now)

    assert (Event.objects.get().message_id, Event.objects.get().accept_time) == (None, now)


def test_contact_events_go_to_all_apps_of_the_project_each_with_its_own_copy(app, now):
    sister = make_app(app.project)
    mine, hers = make_webhook(app), make_webhook(sister)
    deleted = make_webhook(make_app(app.project, deleted_at=now))
    stranger = make_webhook(make_app(make_project()))

    publishing.publish_in_project(
        project_id=app.project_id,
        trigger=Trigger.CONTACT_CREATE,
        payload={"contact": {"id": "c"}},
        about=about(now),
    )

    copies = {event.app_id: event for event in Event.objects.all()}
    assert set(copies) == {app.id, sister.id}
    assert waiting_for(mine) == [copies[app.id].id]
    assert waiting_for(hers) == [copies[sister.id].id]
    assert waiting_for(deleted) == waiting_for(stranger) == []
    assert bytes(copies[app.id].body) == bytes(copies[sister.id].body)
    assert orjson.loads(bytes(copies[app.id].body))["app_id"] == ""


def test_a_dismissing_webhook_gets_a_record_and_no_delivery(app, now):
    webhook = make_webhook(app, target_type=TargetType.DISMISS)

    publish(app, now, message_id=ids.ulid())

    event, attempt = Event.objects.get(), Attempt.objects.get()
    assert (attempt.result, attempt.webhook_id, attempt.event_id) == ("DISMISSED", webhook.id, event.id)
    assert (attempt.message_id, attempt.accept_time) == (event.message_id, event.accept_time)
    assert waiting_for(webhook) == []


def test_what_comes_while_a_webhook_is_switched_off_is_a_dead_letter(app, now):
    webhook = make_webhook(app, disabled_at=now)

    publish(app, now, message_id=ids.ulid())

    event, letter = Event.objects.get(), DeadLetter.objects.get()
    assert (letter.webhook_id, letter.event_id, letter.attempts) == (webhook.id, event.id, 0)
    assert (letter.message_id, letter.accept_time) == (event.message_id, event.accept_time)
    assert waiting_for(webhook) == []
    assert not Attempt.objects.exists()


def test_publishing_in_a_transaction_that_is_undone_leaves_nothing(app, now):
    webhook = make_webhook(app)

    with transaction.atomic():
        publish(app, now)
        transaction.set_rollback(True)

    assert not Event.objects.exists()
    assert waiting_for(webhook) == []


def test_when_nobody_listens_one_query_asks_and_nothing_is_written(app, now, django_assert_num_queries):
    make_webhook(app, triggers=[Trigger.OPT_OUT])

    with django_assert_num_queries(1):
        publish(app, now)

    assert not Event.objects.exists()


@pytest.mark.parametrize("webhooks", [1, 5])
def test_publishing_takes_one_query_however_many_listen(app, now, webhooks, django_assert_num_queries):
    for number in range(webhooks):
        make_webhook(app, f"https://{number}.example/")
    publish(app, now)  # the first event of a webhook opens its lane

    with django_assert_num_queries(1):  # who listens, the event, the outbox entries
        publish(app, now)
