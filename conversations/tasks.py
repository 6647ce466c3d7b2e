"""The clock's tasks of this room."""

from celery import shared_task

from conversations import statuses
from projects import clock


@shared_task(ignore_result=True)
def time_out_messages() -> None:
    """Fail the messages that nobody has reported on in time."""
    statuses.time_out(now=clock.now())
