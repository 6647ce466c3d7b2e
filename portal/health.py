"""`/healthz`: alive. `/readyz`: able to serve, and what does not work as it should."""

import logging
from collections.abc import Callable
from functools import cache

import redis
from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from projects import clock
from retention import measuring
from retention.tending import checking
from webhooks.ageing import partitioning

log = logging.getLogger(__name__)


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 -- a view's shape
    """The process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 -- a view's shape
    """503 while the database is out of reach or not migrated; else 200, and the names of what is degraded."""
    try:
        if not _migrations().issubset(MigrationRecorder(connection).applied_migrations()):
            return JsonResponse({"status": "unmigrated"}, status=503)
        degraded = [name for name, works in CHECKS.items() if not works()]
    except DatabaseFault:
        log.warning("The database is out of reach", exc_info=True)
        return JsonResponse({"status": "database unreachable"}, status=503)
    return JsonResponse({"status": "ok", "degraded": degraded})


@cache
def _migrations() -> set[tuple[str, str]]:
    """Every migration that our code expects to have been applied."""
    return set(MigrationLoader(None).disk_migrations)


def _broker_answers() -> bool:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as client:
            return bool(client.ping())
    except RedisError:
        return False


def _nothing_is_overdue() -> bool:
    return measuring.is_in_time(at=clock.now())


# What may be broken while requests are still served well: a name for the operator, and whether it works.
CHECKS: dict[str, Callable[[], bool]] = {
    "broker": _broker_answers,
    "retention": _nothing_is_overdue,
    "ledger": checking.is_genuine,
    "webhook_partitions": lambda: partitioning.stand_ready(now=clock.now()),
}
