from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from outbox.draining import drain
from outbox.models import Entry, Lane
from projects import clock, ids
from tests.factories import make_app, make_webhook
from webhooks import subscribing
from webhooks.models import Attempt, DeadLetter, Event, Replay, Webhook
from webhooks.repeating import replaying
from webhooks.repeating.replaying import Span
from webhooks.tending import health
from webhooks.triggers import Trigger

HOUR = timedelta(hours=1)


def make_event(app, trigger=Trigger.MESSAGE_INBOUND, *, ago=HOUR, **fields) -> Event:
    now = clock.now()
    return Event.objects.create(
        **(
            {"app": app, "trigger": trigger, "body": b'{"a":1}', "accept_time": now, "created_at": now - ago}
            | fields
        )
    )


def last_day(**more) -> Span:
    now = clock.now()
    return Span(start=now - 24 * HOUR, end=now, **more)


def start(webhook, span=None) -> Replay:
    return replaying.start(webhook, span or last_day(), per_second=100, asked_by="somebody", now=clock.now())


def bury(webhook, event) -> DeadLetter:
    return DeadLetter.objects.create(
        app=event.app, accept_time=event.accept_time, event_id=event.id, webhook=webhook, reason="HTTP 500",
        attempts=9, died_at=clock.now(),
    )  # fmt: skip


def test_a_delivery_is_made_again_with_the_same_body_and_logged_as_a_replay(app, hook, httpserver):
    webhook, event = make_webhook(app, hook()), make_event(app)

    replay = replaying.again(webhook, event, asked_by="somebody", now=clock.now())
    drain()

    ((request, _),) = httpserver.log
    attempt = Attempt.objects.get()
    assert request.get_data() == b'{"a":1}'
    assert (attempt.event_id, attempt.replay_id, attempt.result) == (event.id, replay.id, "DELIVERED")


def test_a_span_is_replayed_and_nothing_beside_it(app, hook, httpserver):
    webhook = make_webhook(app, hook(), triggers=[Trigger.MESSAGE_INBOUND, Trigger.OPT_IN])
    wanted = [make_event(app), make_event(app, Trigger.OPT_IN)]
    make_event(app, Trigger.OPT_OUT)  # which it does not listen to
    make_event(app, ago=25 * HOUR)
    make_event(app, callback_url="http://127.0.0.1:9/elsewhere")
    make_event(make_app(app.project))

    assert replaying.count(webhook, last_day()) == 2
    start(webhook)
    drain()

    assert sorted(Attempt.objects.values_list("event_id", flat=True)) == sorted(event.id for event in wanted)
    assert len(httpserver.log) == 2


def test_one_trigger_of_a_span_is_replayed(app, hook):
    webhook = make_webhook(app, hook())
    make_event(app)
    wanted = make_event(app, Trigger.OPT_IN)

    start(webhook, last_day(trigger="OPT_IN"))
    drain()

    assert Attempt.objects.get().event_id == wanted.id


def test_what_was_given_up_is_replayed_and_delivered_it_is_no_dead_letter_any_more(app, hook):
    webhook, other = make_webhook(app, hook()), make_webhook(app, "https://other.example/")
    event = make_event(app)
    make_event(app)
    bury(webhook, event)
    of_another = bury(other, event)

    replay = start(webhook, Span.of_dead_letters(now=clock.now()))
    drain()

    assert replay.count == 1
    assert Attempt.objects.get().event_id == event.id
    assert DeadLetter.objects.get() == of_another


def test_a_replay_that_fails_is_given_up_after_five_tries(app, hook):
    webhook, event = make_webhook(app, hook(500)), make_event(app)

    replaying.again(webhook, event, asked_by="somebody", now=clock.now())
    drain(horizon=timedelta(days=4))

    assert [attempt.number for attempt in Attempt.objects.order_by("number")] == [1, 2, 3, 4, 5]
    assert DeadLetter.objects.get().reason == "HTTP 500"


def test_pages_follow_one_another_until_the_replay_is_finished(app, hook, monkeypatch):
    monkeypatch.setattr(replaying, "PAGE", 2)
    webhook = make_webhook(app, hook())
    for _ in range(5):
        make_event(app)

    replay = start(webhook)
    queued = [replay.queued]
    for _ in range(4):
        drain()
        replaying.advance(now=clock.now())
        replay.refresh_from_db()
        queued.append(replay.queued)

    assert queued == [2, 4, 5, 5, 5]
    assert (replay.state, replay.count) == (Replay.State.FINISHED, 5)
    assert not Lane.objects.filter(owner=ids.to_uuid(replay.id)).exists()
    assert Attempt.objects.filter(result="DELIVERED").values("event_id").distinct().count() == 5


def test_no_page_is_queued_while_the_last_one_waits(app, hook, monkeypatch):
    monkeypatch.setattr(replaying, "PAGE", 2)
    webhook = make_webhook(app, hook())
    for _ in range(5):
        make_event(app)

    replay = start(webhook)
    replaying.advance(now=clock.now())

    assert Entry.objects.count() == 2
    assert replaying.waiting([replay]) == {replay.id: 2}


def test_a_cancelled_replay_sends_no_more(app, hook, httpserver):
    webhook = make_webhook(app, hook())
    make_event(app)
    replay = start(webhook)

    replaying.cancel(replay, now=clock.now())
    drain()
    replaying.advance(now=clock.now())

    assert replay.state == Replay.State.CANCELLED
    assert not httpserver.log
    assert not Entry.objects.exists()


def test_to_cancel_what_has_ended_changes_nothing(app, hook):
    webhook = make_webhook(app, hook())
    replay = start(webhook)
    replaying.advance(now=clock.now())

    replaying.cancel(replay, now=clock.now())

    assert replay.state == Replay.State.FINISHED


def test_one_span_at_a_time_is_replayed_to_a_webhook(app, hook):
    webhook = make_webhook(app, hook())
    start(webhook)

    with pytest.raises(ValidationError, match="still running"):
        start(webhook)

    replaying.again(webhook, make_event(app), asked_by="somebody", now=clock.now())


@pytest.mark.parametrize("fields", [{"disabled_at": clock.EPOCH}, {"target_type": "DISMISS"}])
def test_nothing_is_replayed_to_a_webhook_that_is_not_called(app, fields):
    webhook = make_webhook(app, **fields)

    with pytest.raises(ValidationError, match="Nothing is sent"):
        start(webhook)


def test_a_span_that_ends_before_it_starts_is_refused(app, hook):
    now = clock.now()

    with pytest.raises(ValidationError, match="start_time must be before end_time"):
        start(make_webhook(app, hook()), Span(start=now, end=now))


def test_what_is_live_does_not_stand_behind_a_replay(app, hook):
    webhook = make_webhook(app, hook())
    make_event(app)

    replay = start(webhook)

    lanes = set(Lane.objects.values_list("owner", flat=True))
    assert ids.to_uuid(replay.id) in lanes
    assert not Entry.objects.filter(lane__owner=ids.to_uuid(webhook.id)).exists()


def test_a_replay_goes_with_its_webhook(app, hook):
    webhook = make_webhook(app, hook())
    make_event(app)
    start(webhook)

    subscribing.remove(webhook)

    assert not Entry.objects.exists()
    assert not Lane.objects.exists()
    assert not Replay.objects.exists()


def test_what_is_replayed_to_a_webhook_that_was_switched_off_meanwhile_becomes_dead_letters(
    app, hook, httpserver
):
    webhook, event = make_webhook(app, hook()), make_event(app)
    replaying.again(webhook, event, asked_by="somebody", now=clock.now())

    Webhook.objects.update(disabled_at=clock.now(), disabled_reason="HTTP 410")
    drain()

    assert not httpserver.log
    assert DeadLetter.objects.get().event_id == event.id


def test_a_replay_says_nothing_about_how_the_webhook_is_doing(app, hook):
    webhook = make_webhook(app, hook(500))

    replaying.again(webhook, make_event(app), asked_by="somebody", now=clock.now())
    drain(horizon=HOUR)

    assert health.of([webhook])[webhook.id].streak == 0
    assert health.of([webhook])[webhook.id].success_percent is None
