"""The outbox's housekeeping, for beat."""

from celery import shared_task

from outbox import sweeping


@shared_task
def sweep() -> None:
    """Hourly: take away what nobody will ever need again."""
    sweeping.sweep()
