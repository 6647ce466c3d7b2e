"""Urging: who is in charge hears of a person's request before its month is over, and those above once it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.formats import localize

from projects.mail import mailing, people
from retention.models import PrivacyRequest

AHEAD: Final = timedelta(days=7)  # of the day by which it must be answered
EVERY: Final = timedelta(days=7)


def urge(*, now: datetime) -> int:
    """Mail about every request that is soon due and not answered, once a week. Returns how many."""
    long_enough = Q(urged_at=None) | Q(urged_at__lte=now - EVERY)
    waiting = PrivacyRequest.objects.unanswered().filter(long_enough, due_at__lte=now + AHEAD)
    return sum(_urge(pk, now) for pk in waiting.order_by("due_at").values_list("pk", flat=True))


@transaction.atomic
def _urge(request_id: str, now: datetime) -> bool:
    """One in a transaction of its own: the mail, and that it was sent."""
    rows = PrivacyRequest.objects.unanswered().select_for_update(skip_locked=True, of=["self"], no_key=True)
    request = rows.filter(pk=request_id).select_related("project__account").first()
    if request is None or (request.urged_at and request.urged_at > now - EVERY):
        return False
    is_late = request.due_at <= now
    mailing.post(
        to=[*people.in_charge(request.project), *(people.running_this() if is_late else [])],
        subject=f"{'Overdue' if is_late else 'Soon due'}: a person's request in {request.project}",
        text=_text(request),
        now=now,
        about="privacy request",
    )
    request.urged_at = now
    request.save(update_fields=["urged_at"])
    return True


def _text(request: PrivacyRequest) -> str:
    state = str(request.get_state_display())
    return "\n".join(
        [
            f"{request.get_kind_display()}, asked for on {localize(request.received_at)}.",
            f"State: {state.lower()}.",
            f"The law wants it answered by {localize(request.due_at)}; for a reason it may be extended once.",
            "",
            f"{settings.PUBLIC_URL}/admin/retention/privacyrequest/{request.pk}/change/",
        ]
    )
