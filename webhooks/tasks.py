"""What the clock asks of the post office."""

from celery import shared_task

from projects import clock
from webhooks import rotating
from webhooks.ageing import forgetting, partitioning
from webhooks.repeating import replaying


@shared_task(name="webhooks.tasks.forget_old_events")
def forget_old_events() -> None:
    """Hourly: delete events, attempts, dead letters and retired secrets whose time is over."""
    now = clock.now()
    forgetting.forget(now=now)
    rotating.tidy(now=now)


@shared_task(name="webhooks.tasks.advance_replays")
def advance_replays() -> None:
    """Every few seconds: queue the next events of the replays that run, and end those that are through."""
    replaying.advance(now=clock.now())


@shared_task(name="webhooks.tasks.prepare_partitions")
def prepare_partitions() -> None:
    """Hourly: make the tables in which the coming days' events and attempts will stand."""
    partitioning.prepare(now=clock.now())
