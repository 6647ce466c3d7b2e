"""Warning: those who look after a webhook get a mail before and when it is switched off."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from projects.mail import mailing, people
from projects.requests.wire import timestamp
from webhooks.models import Webhook

FAILING: Final = """\
The webhook {target}
of the app {app} has taken nothing since {since}.

Its events are kept and tried again. Without a success it is switched off {days} days after it began to fail.

{link}
"""
DISABLED: Final = """\
The webhook {target}
of the app {app} is switched off: {reason}.

What still waits for it becomes dead letters. When it works again, enable it there and replay what it missed;
events are kept for 14 days.

{link}
"""


def failing(webhook_id: str, *, since: datetime | None, now: datetime) -> None:
    """It has been failing for hours."""
    _post(
        webhook_id,
        subject="A webhook of {app} fails",
        text=FAILING,
        about="webhook failing",
        now=now,
        since=timestamp(since) if since else "",
        days=settings.WEBHOOK_DISABLE_AFTER_DAYS,
    )


def disabled(webhook_id: str, reason: str, *, now: datetime) -> None:
    """It is called no more."""
    _post(
        webhook_id,
        subject="A webhook of {app} is switched off",
        text=DISABLED,
        about="webhook disabled",
        now=now,
        reason=reason,
    )


def _post(webhook_id: str, *, subject: str, text: str, about: str, now: datetime, **said: object) -> None:
    webhook = Webhook.objects.select_related("app", "project__account").get(pk=webhook_id)
    target = urlsplit(webhook.target)
    said |= {
        "app": webhook.app.display_name,
        "target": f"{target.scheme}://{target.netloc}{target.path}",  # a query may hold a secret
        "link": settings.PUBLIC_URL + reverse("admin:webhooks_webhook_change", args=[webhook.id]),
    }
    mailing.post(
        to=people.in_charge(webhook.project),
        subject=subject.format(**said),
        text=text.format(**said),
        about=about,
        now=now,
    )
