"""What the clock asks of the post office."""

from celery import shared_task

from projects import clock
from webhooks import forgetting


@shared_task(name="webhooks.tasks.forget_old_events")
def forget_old_events() -> None:
    """Daily: delete events, attempts and dead letters that are too old to be asked for."""
    forgetting.forget(now=clock.now())
