"""What the API may read and delete, as policies and holds have it: installed below when the app registry is ready."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from projects import clock
from projects.models import App, ProcessingMode
from retention import holding, ruling
from retention.policies import Scope


class ByPolicy:
    """A dispatched message under a TTL of 0 days is kept for its receipt alone: the API does not know it."""

    def storing(self, apps: Iterable[App], mode: ProcessingMode) -> list[App]:
        """Those whose policy in force keeps messages of this mode at all."""
        apps = list(apps)
        if mode != ProcessingMode.DISPATCH or not apps:
            return apps
        policies = ruling.in_force_of(apps, at=clock.now())
        return [app for app in apps if policies[app.pk, Scope.DISPATCH].ttl_days]

    def hold(self, rows: QuerySet[Any]) -> bool:
        """Whether a legal hold keeps something of these messages, events, conversations or contacts."""
        return holding.holds(rows)
