"""The outbox's housekeeping, for beat."""

from celery import shared_task

from outbox import shrinking, sweeping


@shared_task
def sweep() -> None:
    """Hourly: take away what nobody will ever need again."""
    sweeping.sweep()


@shared_task
def shrink() -> None:
    """Every ten minutes: give back the room that the queue took while it could not be cleaned."""
    shrinking.shrink()
