"""Reporting: dispatchers leave their figures in Redis, and who answers `/metrics` collects them there."""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Iterator
from typing import Any, Final

import orjson
from django.conf import settings
from django.db import connection
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis import Redis, RedisError
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff

from outbox import measuring
from outbox.bell import PATIENCE_SECONDS

logger = logging.getLogger(__name__)

PREFIX: Final = "outbox:figures:"
KEPT_SECONDS: Final = 60  # after the last report of a dispatcher that is gone

# Every lane's earliest entry, found as a claim finds it.
WAITING = """
    WITH RECURSIVE head AS (
        (SELECT lane_id, priority, next_at FROM outbox_entry ORDER BY lane_id, priority, next_at LIMIT 1)
        UNION ALL
        SELECT following.* FROM head CROSS JOIN LATERAL (
            SELECT lane_id, priority, next_at FROM outbox_entry
            WHERE (lane_id, priority) > (head.lane_id, head.priority)
            ORDER BY lane_id, priority, next_at LIMIT 1
        ) following
    )
    SELECT coalesce(extract(epoch FROM max(clock_timestamp() - head.next_at)), 0)::float8
    FROM head JOIN outbox_lane lane ON lane.id = head.lane_id
    WHERE head.next_at <= clock_timestamp() AND lane.fail_streak = 0
        AND coalesce(lane.paused_until <= clock_timestamp(), TRUE)
"""

LANE_STATES = ("closed", "open", "half_open", "paused")  # shown when no lane is in it, too

LANES = """
    SELECT
        CASE
            WHEN trips > 0 AND paused_until > clock_timestamp() THEN 'open'
            WHEN trips > 0 THEN 'half_open'
            WHEN paused_until > clock_timestamp() THEN 'paused'
            ELSE 'closed'
        END,
        count(*)
    FROM outbox_lane GROUP BY 1
"""

# What the planner believes: to count them all would cost more the worse things stand.
PENDING = "SELECT greatest(reltuples, 0)::float8 FROM pg_class WHERE oid = 'outbox_entry'::regclass"


class Reporter:
    """Reports for one dispatcher; a report that is lost is made up for by the next."""

    def __init__(self) -> None:
        self._key = f"{PREFIX}{platform.node()}:{os.getpid()}"
        self._redis = AsyncRedis.from_url(
            settings.REDIS_URL,
            socket_timeout=PATIENCE_SECONDS,
            socket_connect_timeout=PATIENCE_SECONDS,
            retry=AsyncRetry(NoBackoff(), 0),
        )

    async def report(self) -> None:
        """Leave the figures as they are now."""
        families = [
            [family.name, family.documentation, family.type, [list(sample[:3]) for sample in family.samples]]
            for family in measuring.REGISTRY.collect()
        ]
        try:
            await self._redis.set(self._key, orjson.dumps(families), ex=KEPT_SECONDS)
        except (RedisError, OSError) as error:
            logger.debug("No report: %s", error)

    async def close(self) -> None:
        """Report no more."""
        await self._redis.aclose()


class Report(Collector):
    """All of the outbox, for the registry of who answers `/metrics`."""

    def collect(self) -> Iterator[Metric]:
        """What the tables tell, then what each dispatcher counted."""
        with connection.cursor() as cursor:
            cursor.execute(PENDING)
            (pending,) = cursor.fetchone()
            yield _gauge("outbox_pending", "Entries that wait, as the planner estimates", pending)
            cursor.execute(WAITING)
            yield _gauge(
                "outbox_oldest_due_seconds",
                "How long the longest has been due of those whose receivers are well",
                cursor.fetchone()[0],
            )
            cursor.execute(LANES)
            lanes = GaugeMetricFamily("outbox_lanes", "Lanes, by how their receivers do", labels=["state"])
            for state, count in (dict.fromkeys(LANE_STATES, 0) | dict(cursor.fetchall())).items():
                lanes.add_metric([state], count)
            yield lanes
        yield from _of_dispatchers()


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, value=value)


def _of_dispatchers() -> Iterator[Metric]:
    """Each figure once, with a sample of every dispatcher that reported lately."""
    families: dict[str, Metric] = {}
    for dispatcher, report in _reports():
        for name, documentation, type_, samples in report:
            family = families.setdefault(name, Metric(name, documentation, type_))
            for sample, labels, value in samples:
                family.add_sample(sample, {**labels, "dispatcher": dispatcher}, value)
    yield from families.values()


def _reports() -> Iterator[tuple[str, Any]]:
    redis = Redis.from_url(
        settings.REDIS_URL, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
    )
    try:
        with redis:
            keys = sorted(redis.scan_iter(match=f"{PREFIX}*", count=1000))
            found = list(zip(keys, redis.mget(keys), strict=True)) if keys else []
    except RedisError as error:
        logger.warning("What the dispatchers count is not known: %s", error)
        return
    for key, report in found:
        if report:  # else it has just expired
            yield key.decode().removeprefix(PREFIX), orjson.loads(report)
