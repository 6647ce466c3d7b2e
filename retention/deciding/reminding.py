"""Telling people of a justification that is owed: at once, again after some days, and then those above them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from projects.mail import mailing
from projects.models import App, Role, User
from retention.deciding.ruling import Policy
from retention.models import OwedItem, RetentionPolicy

REMINDED_AFTER: Final = (3, 7, 14)  # days since the item was opened
ESCALATED_EVERY: Final = 7  # days, once it is overdue
ABOUT: Final = "justification owed"


def announce(item: OwedItem, version: RetentionPolicy, *, replaced: Policy, now: datetime) -> None:
    """Mail what was changed by API without a ground, in the transaction of the change."""
    before = RetentionPolicy(retention_type=replaced.retention_type, ttl_days=replaced.ttl_days)
    effect = f"{version.effective_at:%d %B %Y, %H:%M} UTC"
    lines = [
        f"The retention policy of the app “{version.app}” was changed by API, without its legal justification.",
        "",
        f"From: {before}",
        f"To: {version}",
        f"By the key: {version.author_key or 'unknown'}",
        f"Newly due: {version.newly_due} messages and conversations",
        f"Takes effect: {effect}",
        "",
        *_what_to_do(item),
    ]
    mailing.post(
        to=[item.account_manager_email, *_administrators(version.app)],
        subject=f"Justification owed: {version.app}",
        text="\n".join(lines),
        about=ABOUT,
        now=now,
    )


def remind(*, now: datetime) -> int:
    """Mail about every item that has waited long enough since the last mail. Returns how many."""
    waiting = OwedItem.objects.filter(state=OwedItem.State.OPEN, app__deleted_at=None)
    long_enough = Q(opened_at__lte=now - timedelta(days=REMINDED_AFTER[0]))
    numbers = waiting.filter(long_enough).order_by("opened_at").values_list("pk", flat=True)
    return sum(_remind(pk, now) for pk in numbers.iterator())


@transaction.atomic
def _remind(item_id: str, now: datetime) -> bool:
    """One item in a transaction of its own: the mail, and that it was sent."""
    rows = OwedItem.objects.select_for_update(skip_locked=True, of=["self"], no_key=True).select_related(
        "app"
    )
    item = rows.filter(pk=item_id, state=OwedItem.State.OPEN).first()
    if item is None or now < next_reminder_at(item):
        return False
    is_escalated = item.reminders_sent >= len(REMINDED_AFTER)
    to = [item.account_manager_email, *_administrators(item.app), *(_above() if is_escalated else [])]
    mailing.post(
        to=to,
        subject=f"{'Overdue' if is_escalated else 'Reminder'}: justification owed for {item.app}",
        text="\n".join([*_what_is_owed(item, now), "", *_what_to_do(item)]),
        about=ABOUT,
        now=now,
    )
    item.reminders_sent, item.last_reminder_at = item.reminders_sent + 1, now
    item.save(update_fields=["reminders_sent", "last_reminder_at"])
    return True


def next_reminder_at(item: OwedItem) -> datetime:
    """When it is time for the next mail; a clock that stood still catches up with one mail a tick."""
    sent = item.reminders_sent
    if sent < len(REMINDED_AFTER):
        return item.opened_at + timedelta(days=REMINDED_AFTER[sent])
    beyond = sent - len(REMINDED_AFTER) + 1
    return item.opened_at + timedelta(days=REMINDED_AFTER[-1] + beyond * ESCALATED_EVERY)


def _what_is_owed(item: OwedItem, now: datetime) -> list[str]:
    policy = RetentionPolicy(retention_type=item.retention_type, ttl_days=item.ttl_days)
    return [
        f"The app “{item.app}” keeps its messages otherwise than by default: {policy}.",
        f"For {(now - item.opened_at).days} days nobody has said on what legal ground.",
    ]


def _what_to_do(item: OwedItem) -> list[str]:
    what = f"POST /v1/projects/{item.app.project_id}/apps/{item.app_id}/retention-justifications"
    return [
        f"The legal ground is owed by {item.due_at:%d %B %Y}. The policy stays as it is until then and afterwards.",
        "Give it here:",
        f"{settings.PUBLIC_URL}/admin/retention/oweditem/{item.pk}/settle/",
        f"or by API: {what}",
    ]


def _administrators(app: App) -> list[str]:
    members = User.objects.filter(
        is_active=True, memberships__project=app.project_id, memberships__role=Role.ADMIN
    )
    return list(members.exclude(email="").order_by("pk").values_list("email", flat=True))


def _above() -> list[str]:
    """The operator's side: who is asked where an account names nobody, and who runs the installation."""
    running = User.objects.filter(is_active=True, is_superuser=True).exclude(email="").order_by("pk")
    return [settings.ACCOUNT_MANAGER_EMAIL, *running.values_list("email", flat=True)]
