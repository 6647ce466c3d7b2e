"""Legal grounds: taken down with the policy they justify, or later, to settle what is owed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from projects.models import App
from retention.deciding.ruling import Policy
from retention.models import Justification, OwedItem, RetentionPolicy, Via
from retention.policies import Scope
from retention.trimming import trimmed


class NothingOwed(Exception):
    """The item is closed: another justification, or another policy, came first."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A legal ground as somebody gives it."""

    category: str
    reference: str
    text: str
    review_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Giver:
    """Who acts, and through which door."""

    via: Via
    author: Any = None  # a User, in the portal
    author_key: str | None = None  # by API


def take_down(
    ground: Ground, policy: Policy | OwedItem, *, app: App, giver: Giver, now: datetime
) -> Justification:
    """Store the ground of one policy. Raises ValidationError by field."""
    row = Justification(
        app=app,
        scope=policy.scope,
        retention_type=policy.retention_type,
        ttl_days=policy.ttl_days,
        category=ground.category,
        reference=trimmed(ground.reference),
        text=trimmed(ground.text),
        review_on=ground.review_on,
        given_by=giver.author,
        given_by_key=giver.author_key,
        given_via=giver.via,
        created_at=now,
    )
    row.clean_fields(exclude=["app", "given_by", "given_by_key"])
    row.clean()
    row.save(force_insert=True)
    return row


def owe(policy: Policy | OwedItem, *, app: App, now: datetime) -> OwedItem:
    """Take down that a ground is owed, and whom the operator's side asks for it."""
    manager = app.project.account.manager_email or settings.ACCOUNT_MANAGER_EMAIL
    return OwedItem.objects.create(
        app=app,
        scope=policy.scope,
        retention_type=policy.retention_type,
        ttl_days=policy.ttl_days,
        account_manager_email=manager,
        opened_at=now,
        due_at=now + OwedItem.GRACE,
    )


def of_version(version: RetentionPolicy) -> Justification:
    """The ground that a version rests on, be it given later. Raises ValidationError where it is still owed."""
    given = version.justification
    if given is None and version.owed:
        given = version.owed.justification
    if given is None:
        raise ValidationError(
            {"text": "The policy in force has no ground yet: give it, and set the policy back."}
        )
    return given


def supersede(*, app: App, scope: Scope, now: datetime) -> None:
    """Nobody needs the ground any more: the policy it was owed for has been replaced."""
    owed = OwedItem.objects.filter(app=app, scope=scope, state=OwedItem.State.OPEN)
    owed.update(state=OwedItem.State.SUPERSEDED, closed_at=now)


def open_item(app: App, scope: Scope = Scope.MESSAGES) -> OwedItem | None:
    """What is owed for the app's policy, if anything is."""
    return OwedItem.objects.filter(app=app, scope=scope, state=OwedItem.State.OPEN).first()


@transaction.atomic
def settle(owed: OwedItem, ground: Ground, *, giver: Giver, now: datetime) -> Justification:
    """Give the ground that is owed. Raises ValidationError by field, or NothingOwed."""
    app = App.objects.select_for_update(no_key=True).get(pk=owed.app_id)
    item = OwedItem.objects.get(pk=owed.pk)
    if item.state != OwedItem.State.OPEN:
        raise NothingOwed(f"The item is {item.state} already.")
    given = take_down(ground, item, app=app, giver=giver, now=now)
    item.state, item.justification, item.closed_at = OwedItem.State.SUPPLIED, given, now
    item.save(update_fields=["state", "justification", "closed_at"])
    return given
