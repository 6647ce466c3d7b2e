"""What the clock asks of the ground floor."""

from celery import shared_task

from projects import clock
from projects.mail import mailing


@shared_task(ignore_result=True)
def forget_mails() -> None:
    """Daily: delete mails that are too old to be asked for."""
    mailing.forget(now=clock.now())
