"""The preview of a policy: how long somebody waits at the panel, of a large app in a large table."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from statistics import median
from typing import Final

from benchmarks import rounds
from benchmarks.figures import Figure, Goal
from benchmarks.retention_world import OVERDUE, World
from benchmarks.servers import Postgres
from projects import clock
from retention import preview
from retention.deciding.ruling import Policy
from retention.policies import PolicyType, Scope

LOOKS: Final = 7  # the first warms up


def figures(postgres: Postgres, *, full: bool) -> Iterator[Figure]:  # noqa: ARG001 -- a benchmark's shape
    """G16 of the retention goals."""
    scale = 10 if full else 1
    world = World()
    (app,) = world.apps(1, rows=60_000 * scale)
    world.grow(500_000 * scale)
    world.settle()
    now = clock.now()
    for retention_type in (PolicyType.MESSAGE_EXPIRE_POLICY, PolicyType.CONVERSATION_EXPIRE_POLICY):
        policy = Policy(scope=Scope.MESSAGES, retention_type=retention_type, ttl_days=OVERDUE.days)
        look = functools.partial(preview.preview, policy, app, at=now)
        seconds = [rounds.seconds(look) for _ in range(LOOKS)]
        yield Figure(
            f"preview of {retention_type}",
            f"{look().present.messages} due of {world.rows:,}",  # "at least": it was cut off by the clock
            median(seconds[1:]) * 1000,
            Goal("≤", 300, "ms"),
        )
