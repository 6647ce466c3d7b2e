"""The clock's tasks of this room."""

import logging

from celery import shared_task
from django.db import DatabaseError

from projects import clock
from retention import purging
from retention.deciding import reminding
from retention.models import PrivacyRequest
from retention.privacy import erasing, urging
from retention.proving import anchoring
from retention.tending import checking, surveying, vacuuming

logger = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def purge_due() -> None:
    """Delete what is due; ticks every ten minutes."""
    purging.run(now=clock.now())


@shared_task(ignore_result=True)
def remind() -> None:
    """Mail about justifications that are still owed; ticks every hour."""
    reminding.remind(now=clock.now())


@shared_task(ignore_result=True)
def urge() -> None:
    """Mail about persons' requests that are soon due; ticks every hour."""
    urging.urge(now=clock.now())


@shared_task(ignore_result=True)
def anchor_ledger() -> None:
    """Write down outside the database how far the ledger has come; ticks every hour, one a day is written."""
    anchoring.drop(now=clock.now())


@shared_task(ignore_result=True)
def finish_erasures() -> None:
    """Go on with erasures that stopped, or whose legal hold was released; ticks every ten minutes."""
    for request in PrivacyRequest.objects.unfinished().order_by("due_at"):
        try:
            erasing.erase(request, now=clock.now())
        except (erasing.NotErased, DatabaseError):  # the others do not wait for it
            logger.exception("Request %s was not carried out; it is tried again.", request.pk)


@shared_task(ignore_result=True)
def survey() -> None:
    """Count what is due of every app, for `/metrics`; ticks every half hour."""
    surveying.survey(now=clock.now())


@shared_task(ignore_result=True)
def check_ledger() -> None:
    """Verify the whole ledger; ticks every hour, and does it once a day."""
    checking.check_daily(now=clock.now())


@shared_task(ignore_result=True)
def vacuum() -> None:
    """Vacuum the tables that purges have left full of dead rows; ticks every ten minutes."""
    vacuuming.vacuum()
