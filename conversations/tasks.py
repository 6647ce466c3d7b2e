"""The clock's tasks of this room."""

from celery import shared_task

from conversations import idempotency
from conversations.events import settling
from conversations.reaching import statuses
from projects import clock


@shared_task(ignore_result=True)
def time_out_messages() -> None:
    """Hand on, or fail, the messages that nobody has reported on in time."""
    now = clock.now()
    statuses.fall_back(now=now)
    statuses.time_out(now=now)


@shared_task(ignore_result=True)
def forget_idempotency_keys() -> None:
    """Delete the keys of messages that were sent more than a day ago."""
    idempotency.forget(now=clock.now())


@shared_task(ignore_result=True)
def forget_event_metadata() -> None:
    """Drop the metadata of events on which no channel will report any more."""
    settling.forget(now=clock.now())
