"""The clock's tasks of this room."""

from celery import shared_task

from projects import clock
from retention import purging


@shared_task(ignore_result=True)
def purge_due() -> None:
    """Delete what is due; ticks every ten minutes."""
    purging.run(now=clock.now())
