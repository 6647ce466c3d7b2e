"""What the inbox asks about retention."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.timezone import make_aware

from portal.inbox.items import LOOK, Item, Visitor
from projects.models import App
from projects.roles import Right
from retention import measuring
from retention.deciding import approving, ruling
from retention.models import ChangeRequest, LegalHold, OwedItem, PrivacyRequest, RetentionPolicy
from retention.policies import Scope

NOT_LATE: Final = timedelta(0)
HELD_LONG: Final = timedelta(days=180)


def owed(visitor: Visitor) -> Iterator[Item]:
    """Policies changed by API, whose legal ground nobody has given."""
    rows = OwedItem.objects.filter(state=OwedItem.State.OPEN, app__deleted_at=None).order_by("due_at")
    for item in visitor.seen(rows, project="app__project"):
        policy = RetentionPolicy(retention_type=item.retention_type, ttl_days=item.ttl_days)
        manager = item.account_manager_email
        told = f"{manager} was told." if manager else "Nobody was told: the account names no account manager."
        may = visitor.may(Right.RETENTION, item.app.project_id)
        yield Item(
            word="Justification owed",
            tone="bad",
            subject=str(item.app),
            project=item.app.project,
            why=f"The policy was changed by API to: {policy}, without its legal ground. {told}",
            since=item.opened_at,
            due_at=item.due_at,
            url=reverse(f"admin:retention_oweditem_{'settle' if may else 'change'}", args=[item.pk]),
            action="Give the ground" if may else LOOK,
        )


def reviews(visitor: Visitor) -> Iterator[Item]:
    """Grounds of policies that are set, whose day of review has come."""
    newer = RetentionPolicy.objects.filter(
        app=OuterRef("app"), scope=OuterRef("scope"), number__gt=OuterRef("number")
    )
    is_due = Q(justification__review_on__lte=visitor.now) | Q(owed__justification__review_on__lte=visitor.now)
    rows = RetentionPolicy.objects.filter(is_due, ~Exists(newer), app__deleted_at=None)
    grounds = rows.select_related("justification", "owed__justification")
    for version in visitor.seen(grounds.order_by("pk"), project="app__project"):
        ground = version.justification or version.owed.justification
        yield Item(
            word="Review due",
            tone="busy",
            subject=str(version.app),
            project=version.app.project,
            why=f"“{ground}” was to be looked at again. Give the ground anew, or change the policy.",
            since=ground.created_at,
            due_at=make_aware(datetime.combine(ground.review_on, time())),
            url=reverse("admin:projects_app_change", args=[version.app_id]) + "#retention",
            action=visitor.way("Review it", version.app.project_id),
        )


def approvals(visitor: Visitor) -> Iterator[Item]:
    """Changes that wait for a second person."""
    rows = ChangeRequest.objects.filter(
        state=ChangeRequest.State.OPEN, expires_at__gt=visitor.now, app__deleted_at=None
    )
    for asked in visitor.seen(rows.select_related("asked_by").order_by("expires_at"), project="app__project"):
        if not approving.is_alive(asked, now=visitor.now):
            continue
        is_own = asked.asked_by_id == visitor.user.pk
        policy = RetentionPolicy(retention_type=asked.retention_type, ttl_days=asked.ttl_days)
        yield Item(
            word="Approval awaited",
            tone="busy",
            subject=str(asked.app),
            project=asked.app.project,
            why=f"{asked.asked_by} asks: {policy}. By that {asked.newly_due:,} messages and conversations become due.",
            since=asked.asked_at,
            due_at=asked.expires_at,
            url=reverse("admin:retention_changerequest_change", args=[asked.pk]),
            action=visitor.way(LOOK if is_own else "Decide", asked.app.project_id),
        )


def overdue(visitor: Visitor) -> Iterator[Item]:
    """Apps of which something should have been deleted a day ago."""
    apps = list(visitor.all_seen(App.objects.living().order_by("pk"), project="project"))
    a_day_ago = visitor.now - measuring.LATEST
    then, today = ruling.in_force_of(apps, at=a_day_ago), ruling.in_force_of(apps, at=visitor.now)
    # What became due all at once, by another policy, has its day too.
    steady = [app for app in apps if all(then[app.pk, scope] == today[app.pk, scope] for scope in Scope)]
    lags = visitor.watch.ask(lambda: measuring.lags(steady, at=visitor.now)) or {}
    for app in steady:
        if lags.get(app.pk, NOT_LATE) > measuring.LATEST:
            yield Item(
                word="Retention overdue",
                tone="bad",
                subject=str(app),
                project=app.project,
                why="Messages are due for more than 24 hours and not deleted: look whether workers and clock run.",
                url=reverse("admin:projects_app_change", args=[app.pk]) + "#retention",
                action=LOOK,
            )


def holds(visitor: Visitor) -> Iterator[Item]:
    """Legal holds that were placed long ago: perhaps their matter is over."""
    rows = LegalHold.objects.active().filter(placed_at__lte=visitor.now - HELD_LONG)
    for hold in visitor.seen(rows.order_by("placed_at"), project="project"):
        yield Item(
            word="Hold to look at",
            tone="quiet",
            subject=hold.matter,
            project=hold.project,
            why=f"{hold.get_scope_display()}: it stays, although it is due, until somebody releases the hold.",
            since=hold.placed_at,
            url=reverse("admin:retention_legalhold_change", args=[hold.pk]),
            action=visitor.way("Look after it", hold.project_id),
        )


def privacy(visitor: Visitor) -> Iterator[Item]:
    """What persons asked for under the law, within their month."""
    rows = PrivacyRequest.objects.open().order_by("due_at")
    for asked in visitor.seen(rows, project="project"):
        is_open = asked.state == PrivacyRequest.State.OPEN
        yield Item(
            word="Privacy request",
            tone="busy",
            subject=f"Contact {asked.contact_id}",
            project=asked.project,
            why=f"{asked.get_kind_display()}: {asked.get_state_display().lower()}. The law gives a month.",
            since=asked.received_at,
            due_at=asked.due_at,
            url=reverse("admin:retention_privacyrequest_change", args=[asked.pk]),
            action=visitor.way("Decide" if is_open else LOOK, asked.project_id),
        )
