"""Which policy rules: the one in force at a moment, and the newest, which the API and the portal show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from projects.models import App
from retention.models import RetentionPolicy, RetentionPolicyQuerySet
from retention.policies import DEFAULT_TTL_DAYS, DEFAULT_TYPE, PolicyType, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy as it is read: a stored version, or the default of an app that has none."""

    scope: Scope
    retention_type: PolicyType
    ttl_days: int
    number: int = 0  # 0: no version is stored
    version_id: str | None = None

    @property
    def is_default(self) -> bool:
        """Whether it needs no ground."""
        return self.is_like(default(self.scope))

    def is_like(self, other: Policy) -> bool:
        """Whether both say the same of the same messages."""
        mine, others = (
            (self.scope, self.retention_type, self.ttl_days),
            (other.scope, other.retention_type, other.ttl_days),
        )
        return mine == others

    def cutoff(self, at: datetime) -> datetime | None:
        """What is strictly older may go at that moment; None: nothing may."""
        if self.retention_type == PolicyType.PERSIST_RETENTION_POLICY:
            return None
        return at - timedelta(days=self.ttl_days)


def in_force(*, app: App, scope: Scope = Scope.MESSAGES, at: datetime) -> Policy:
    """What rules the app's messages at that moment."""
    return in_force_of([app], at=at)[app.pk, scope]


def in_force_of(apps: Iterable[App], *, at: datetime) -> dict[tuple[str, Scope], Policy]:
    """The same for many apps and every scope, by app id and scope, in one query."""
    return _ruling(apps, RetentionPolicy.objects.effective(at))


def newest(*, app: App, scope: Scope = Scope.MESSAGES) -> Policy:
    """What was set last: shown at once, also while it waits to take effect."""
    return newest_of([app])[app.pk, scope]


def newest_of(apps: Iterable[App]) -> dict[tuple[str, Scope], Policy]:
    """The same for many apps and every scope, by app id and scope, in one query."""
    return _ruling(apps, RetentionPolicy.objects.all())


def default(scope: Scope) -> Policy:
    """What rules the messages of an app that has no version."""
    return Policy(scope=scope, retention_type=DEFAULT_TYPE, ttl_days=DEFAULT_TTL_DAYS[scope])


def _ruling(apps: Iterable[App], versions: RetentionPolicyQuerySet) -> dict[tuple[str, Scope], Policy]:
    app_ids = [app.pk for app in apps]
    policies = {(app_id, scope): default(scope) for app_id in app_ids for scope in Scope}
    of_apps = versions.filter(app__in=app_ids).order_by("app_id", "scope", "-number")
    for version in of_apps.distinct("app_id", "scope"):
        policy = _stored(version)
        policies[version.app_id, policy.scope] = policy
    return policies


def _stored(version: RetentionPolicy) -> Policy:
    return Policy(
        scope=Scope(version.scope),
        retention_type=PolicyType(version.retention_type),
        ttl_days=version.ttl_days,
        number=version.number,
        version_id=version.id,
    )
