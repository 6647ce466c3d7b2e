"""Changing a policy: a new version with its legal ground, or with the debt of one, or not at all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from projects.models import App
from retention import due, grounds, ruling
from retention.grounds import Giver, Ground, settle
from retention.models import Justification, OwedItem, RetentionPolicy, Via
from retention.policies import PolicyType, Scope
from retention.ruling import Policy

__all__ = ["GRACE", "Giver", "Ground", "change", "settle"]

GRACE: Final = timedelta(hours=24)  # before a version takes effect under which something is newly due


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

    A version under which something is newly due takes effect after 24 hours, any other at once. Raises
    ValidationError by field: retention_type, ttl_days, category, reference, text, review_on.
    """
    proposed = _proposed(scope, retention_type, ttl_days)
    giver = Giver(via=via, author=author, author_key=author_key)
    # A batch of the purge that has begun ends first; the next one sees the new version.
    App.objects.living().select_for_update(no_key=True).get(pk=app.pk)
    latest = RetentionPolicy.objects.filter(app=app, scope=scope).newest_first().first()
    if latest:
        now = max(now, latest.created_at)  # whoever waited for the lock read the clock too early
    if ruling.newest(app=app, scope=scope).is_like(proposed):
        _settle(latest, ground, giver, now)
        return None
    return _add(proposed, latest, app=app, giver=giver, ground=ground, now=now)


def _proposed(scope: Scope, retention_type: str, ttl_days: int) -> Policy:
    version = RetentionPolicy(scope=scope, retention_type=retention_type, ttl_days=ttl_days)
    bounded = ["scope", "retention_type", "ttl_days"]
    version.clean_fields(exclude=[field.name for field in version._meta.fields if field.name not in bounded])
    version.clean()
    return Policy(scope=scope, retention_type=PolicyType(retention_type), ttl_days=ttl_days)


def _settle(latest: RetentionPolicy | None, ground: Ground | None, giver: Giver, now: datetime) -> None:
    owed = latest.owed if latest else None
    if ground and owed and owed.state == OwedItem.State.OPEN:
        settle(owed, ground, giver=giver, now=now)


def _add(
    proposed: Policy,
    latest: RetentionPolicy | None,
    *,
    app: App,
    giver: Giver,
    ground: Ground | None,
    now: datetime,
) -> RetentionPolicy:
    grounds.supersede(app=app, scope=proposed.scope, now=now)
    newly_due = due.newly(proposed, app, at=now)
    terms = {
        "scope": proposed.scope,
        "retention_type": proposed.retention_type,
        "ttl_days": proposed.ttl_days,
    }
    return RetentionPolicy.objects.create(
        app=app,
        **terms,
        number=latest.number + 1 if latest else 1,
        via=giver.via,
        author=giver.author,
        author_key=giver.author_key,
        created_at=now,
        effective_at=now + GRACE if newly_due else now,
        newly_due=newly_due,
        **_backing(proposed, app=app, giver=giver, ground=ground, now=now),
    )


def _backing(
    proposed: Policy, *, app: App, giver: Giver, ground: Ground | None, now: datetime
) -> dict[str, Justification | OwedItem]:
    """What the version rests on: a ground, the debt of one, or nothing where it is the default."""
    if ground:
        return {"justification": grounds.take_down(ground, proposed, app=app, giver=giver, now=now)}
    if proposed.is_default:
        return {}
    if giver.via != Via.API or settings.RETENTION_API_JUSTIFICATION != "owed":
        raise ValidationError({"text": "A policy other than the default needs a legal justification."})
    return {"owed": grounds.owe(proposed, app=app, now=now)}
