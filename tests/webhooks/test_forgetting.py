from __future__ import annotations

from datetime import timedelta

from projects import clock, ids
from tests.factories import make_webhook
from webhooks.ageing import forgetting
from webhooks.models import Attempt, DeadLetter, Event
from webhooks.tasks import forget_old_events
from webhooks.triggers import Trigger

SECOND = timedelta(seconds=1)


def make_event(app, created_at) -> Event:
    return Event.objects.create(
        app=app, trigger=Trigger.OPT_IN, body=b"{}", accept_time=created_at, created_at=created_at
    )


def make_log(app, at) -> None:
    """An attempt and a dead letter."""
    of = {"app": app, "event_id": ids.ulid(), "webhook": make_webhook(app, f"https://{ids.ulid()}.example/")}
    Attempt.objects.create(**of, accept_time=at, number=1, result=Attempt.Result.GIVEN_UP, started_at=at)
    DeadLetter.objects.create(**of, accept_time=at, reason="HTTP 500", attempts=1, died_at=at)


def test_events_are_forgotten_after_14_days(app, now):
    kept = make_event(app, now - timedelta(days=14))
    make_event(app, now - timedelta(days=14) - SECOND)

    forgetting.forget(now=now)

    assert Event.objects.get() == kept


def test_attempts_and_dead_letters_are_forgotten_after_30_days(app, now):
    make_log(app, now - timedelta(days=30))
    make_log(app, now - timedelta(days=30) - SECOND)

    forgetting.forget(now=now)

    assert Attempt.objects.get().started_at == now - timedelta(days=30)
    assert DeadLetter.objects.get().died_at == now - timedelta(days=30)


def test_however_many_are_old_they_go_in_batches(app, now, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(forgetting, "BATCH", 2)
    for _ in range(5):
        make_event(app, now - timedelta(days=15))

    # The partitions of two tables; three batches and a look, one look each at the log's tables and replays.
    with django_assert_num_queries(2 + 3 + 1 + 3):
        forgetting.forget(now=now)

    assert not Event.objects.exists()


def test_the_task_goes_by_the_database_s_clock(app):
    young = make_event(app, clock.now())
    make_event(app, clock.now() - timedelta(days=15))

    forget_old_events()

    assert Event.objects.get() == young
