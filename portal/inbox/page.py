"""The page of the inbox."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from portal.inbox import compliance, operation
from portal.inbox.items import AT_MOST, Item, Source, Visitor
from projects import clock
from projects.models import Mail
from projects.roles import reach
from retention.watching import Watch

SOURCES: Final[list[Source]] = [
    compliance.owed,
    compliance.approvals,
    compliance.overdue,
    compliance.reviews,
    compliance.holds,
    compliance.privacy,
    operation.credentials,
    operation.webhooks,
    operation.conflicts,
    operation.mails,
]
MAILS: Final = 20  # shown
SECONDS: Final = 1.0  # for looking after what is overdue and for numbers that contacts share
_URGENCY: Final = {"bad": 0, "busy": 1, "quiet": 2}
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


def items(request: HttpRequest, *, now: datetime) -> list[Item]:
    """Everything that waits for the caller or their colleagues; what is overdue comes first."""
    visitor = Visitor(request.user, reach(request), now, Watch(SECONDS))
    found = [item for source in SOURCES for item in source(visitor)]
    return sorted(
        found, key=lambda item: (not item.is_overdue(now), _URGENCY[item.tone], item.due_at or _NEVER)
    )


def inbox_view(request: HttpRequest) -> HttpResponse:
    """One list, and at its end the mails that nobody got."""
    now = clock.now()
    found = items(request, now=now)
    context = admin.site.each_context(request) | {
        "title": "Inbox",
        "items": [(item, item.is_overdue(now)) for item in found],
        "is_cut": max(Counter(item.word for item in found).values(), default=0) >= AT_MOST,
        "mails": _unsent(now) if reach(request).is_unlimited else [],
        "checked_at": now,
    }
    return TemplateResponse(request, "admin/inbox/inbox.html", context)


def _unsent(now: datetime) -> list[Mail]:
    return list(Mail.objects.recent(now=now).filter(sent_at=None).exclude(last_error="")[:MAILS])
