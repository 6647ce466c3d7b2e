"""Changing a policy: a new version with its legal ground, or with the debt of one, or not at all; and undoing that."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from projects.models import App
from retention import preview
from retention.deciding import grounds, reminding, ruling
from retention.deciding.grounds import Giver, Ground, settle
from retention.deciding.ruling import Policy
from retention.models import Justification, OwedItem, RetentionPolicy, Via
from retention.models.versions import GRACE
from retention.policies import PolicyType, Scope

__all__ = ["GRACE", "Giver", "Ground", "NothingWaits", "change", "proposed", "settle", "undo"]

_Backing = dict[str, Justification | OwedItem]


class NothingWaits(Exception):
    """The newest version is in force already: there is nothing to undo."""


def proposed(*, scope: Scope = Scope.MESSAGES, retention_type: str, ttl_days: int) -> Policy:
    """A policy as somebody wants it. Raises ValidationError by field."""
    version = RetentionPolicy(scope=scope, retention_type=retention_type, ttl_days=ttl_days)
    named = ["scope", "retention_type"]
    version.clean_fields(exclude=[field.name for field in version._meta.fields if field.name not in named])
    version.clean()
    return Policy(scope=scope, retention_type=PolicyType(retention_type), ttl_days=ttl_days)


@transaction.atomic
def change(
    *,
    app: App,
    retention_type: str,
    ttl_days: int,
    scope: Scope = Scope.MESSAGES,
    via: Via,
    author: Any = None,
    author_key: str | None = None,
    ground: Ground | None = None,
    now: datetime,
) -> RetentionPolicy | None:
    """Set the policy; None when it is set already, though a ground then settles what is owed for it.

    A ground given anew, once the day has come to review the last, makes a version of the same policy.
    A version under which something is newly due takes effect after 24 hours, any other at once. Raises
    ValidationError by field: retention_type, ttl_days, category, reference, text, review_on.
    """
    policy = proposed(scope=scope, retention_type=retention_type, ttl_days=ttl_days)
    giver = Giver(via=via, author=author, author_key=author_key)
    # A batch of the purge that has begun ends first; the next one sees the new version.
    App.objects.living().select_for_update(no_key=True).get(pk=app.pk)
    latest = RetentionPolicy.objects.filter(app=app, scope=scope).newest_first().first()
    if latest:
        now = max(now, latest.created_at)  # whoever waited for the lock read the clock too early
    if ruling.newest(app=app, scope=scope).is_like(policy) and not (
        ground and _is_up_for_review(latest, now)
    ):
        _settle(latest, ground, giver, now)
        return None
    backing = _backing(policy, app=app, giver=giver, ground=ground, now=now)
    return _add(policy, latest, backing, app=app, giver=giver, now=now)


@transaction.atomic
def undo(*, app: App, scope: Scope = Scope.MESSAGES, author: Any, now: datetime) -> RetentionPolicy:
    """Set the policy in force again, while the newest waits to take effect; its ground serves once more.

    Raises NothingWaits; ValidationError where the ground is still owed: then it is given with the change.
    """
    App.objects.living().select_for_update(no_key=True).get(pk=app.pk)
    latest = RetentionPolicy.objects.filter(app=app, scope=scope).newest_first().first()
    ruled = ruling.in_force(app=app, scope=scope, at=now)
    if latest is None or latest.effective_at <= now:
        raise NothingWaits("The policy is in force already: it cannot be cancelled, only changed again.")
    grounds.supersede(app=app, scope=scope, now=now)
    backing: _Backing = {}
    if not ruled.is_default:
        backing["justification"] = grounds.of_version(RetentionPolicy.objects.get(pk=ruled.version_id))
    return _add(ruled, latest, backing, app=app, giver=Giver(via=Via.PORTAL, author=author), now=now)


def _is_up_for_review(latest: RetentionPolicy | None, now: datetime) -> bool:
    given = latest and (latest.justification or (latest.owed and latest.owed.justification))
    return bool(given and given.review_on and given.review_on <= now.date())


def _settle(latest: RetentionPolicy | None, ground: Ground | None, giver: Giver, now: datetime) -> None:
    owed = latest.owed if latest else None
    if ground and owed and owed.state == OwedItem.State.OPEN:
        settle(owed, ground, giver=giver, now=now)


def _add(
    policy: Policy,
    latest: RetentionPolicy | None,
    backing: _Backing,
    *,
    app: App,
    giver: Giver,
    now: datetime,
) -> RetentionPolicy:
    replaced = ruling.newest(app=app, scope=policy.scope)
    newly_due = preview.newly(policy, app, at=now).total
    waits = newly_due or preview.takes_new_events(policy, app, at=now)
    version = RetentionPolicy.objects.create(
        app=app,
        scope=policy.scope,
        retention_type=policy.retention_type,
        ttl_days=policy.ttl_days,
        number=latest.number + 1 if latest else 1,
        via=giver.via,
        author=giver.author,
        author_key=giver.author_key,
        created_at=now,
        effective_at=now + GRACE if waits else now,
        newly_due=newly_due.number,
        **backing,
    )
    if version.owed:
        reminding.announce(version.owed, version, replaced=replaced, now=now)
    return version


def _backing(policy: Policy, *, app: App, giver: Giver, ground: Ground | None, now: datetime) -> _Backing:
    """What the version rests on: a ground, the debt of one, or nothing where it is the default."""
    grounds.supersede(app=app, scope=policy.scope, now=now)
    if ground:
        return {"justification": grounds.take_down(ground, policy, app=app, giver=giver, now=now)}
    if policy.is_default:
        return {}
    if giver.via != Via.API or settings.RETENTION_API_JUSTIFICATION != "owed":
        raise ValidationError({"text": "A policy other than the default needs a legal justification."})
    return {"owed": grounds.owe(policy, app=app, now=now)}
