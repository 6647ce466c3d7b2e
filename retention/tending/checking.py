"""Checking: the whole ledger is verified each day, and who runs the installation hears of it if it is not genuine."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from projects import clock
from projects.mail import mailing, people
from retention.models import LedgerCheck
from retention.proving import verifying
from retention.proving.verifying import Verdict

logger = logging.getLogger(__name__)

EVERY: Final = timedelta(days=1)
NAMED: Final = 20  # faults in a mail


def check_daily(*, now: datetime) -> LedgerCheck | None:
    """Verify the ledger if that was not done within a day, and mail what is wrong with it; None: it was done."""
    if LedgerCheck.objects.filter(started_at__gt=now - EVERY).exists():
        return None
    check, verdict = check_now()
    if verdict.faults:
        logger.error("The purge ledger is not as it was written: %s", check.first_fault)
        _tell(verdict, now=now)
    return check


def check_now() -> tuple[LedgerCheck, Verdict]:
    """Verify the whole ledger, and put on record what was found."""
    started_at = clock.now()
    verdict = verifying.verify()
    check = LedgerCheck.objects.create(
        started_at=started_at,
        ended_at=clock.now(),
        apps=verdict.apps,
        rows=verdict.rows,
        anchors=verdict.anchors,
        faults=len(verdict.faults),
        first_fault=str(verdict.faults[0]) if verdict.faults else "",
    )
    return check, verdict


def is_genuine() -> bool:
    """Whether the last check found nothing; without any, nobody knows otherwise."""
    check = LedgerCheck.objects.latest_one()
    return check is None or check.is_genuine


def _tell(verdict: Verdict, *, now: datetime) -> None:
    lines = [
        "The daily check of the purge ledger found what is not as it was written:",
        "",
        *(f"- {fault}" for fault in verdict.faults[:NAMED]),
        "",
        "After a restore these may be anchors younger than the backup. Otherwise somebody has altered the database:",
        "keep it and its backups as they are. `manage.py verify_ledger` looks again.",
    ]
    mailing.post(
        to=people.running_this(),
        subject="The purge ledger is not as it was written",
        text="\n".join(lines),
        now=now,
        about="ledger check",
    )
