"""Thirty days in which as much comes as goes: whether the tables stay as large as they are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.db import connection

from benchmarks.figures import Figure, Goal
from benchmarks.retention_world import OVERDUE, SATELLITES, World
from benchmarks.servers import Postgres
from conversations.models import Conversation, Message
from projects import clock
from retention import purging

DAY: Final = timedelta(days=1)
DAYS: Final = 30
TABLES: Final = [model._meta.db_table for model in (Message, Conversation, *SATELLITES)]
PATIENCE: Final = 20.0  # seconds that a day waits for autovacuum

# A day passes in seconds here: autovacuum looks as often in it as it does in a real one, and is not held up.
_VACUUM_BY_ITSELF: Final = [
    "ALTER SYSTEM RESET autovacuum",
    "ALTER SYSTEM SET autovacuum_naptime = '1s'",
    "ALTER SYSTEM SET autovacuum_vacuum_cost_delay = 0",
    "SELECT pg_reload_conf()",
]
_SIZE: Final = "SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(%s::text[]) AS name"
_DEAD: Final = "SELECT sum(n_dead_tup) / sum(n_live_tup) FROM pg_stat_user_tables WHERE relname = ANY(%s)"
_WAITING: Final = """
    SELECT count(*) FROM pg_stat_user_tables AS seen JOIN pg_class ON pg_class.oid = seen.relid
    WHERE seen.relname = ANY(%s) AND n_dead_tup > 1000 + 0.02 * greatest(reltuples, 0)
"""


def figures(postgres: Postgres, *, full: bool) -> Iterator[Figure]:  # noqa: ARG001 -- a benchmark's shape
    """G21 of the retention goals."""
    purging.DUTY = 1.0  # type: ignore[misc]  # nobody else is here
    a_day = 20_000 if full else 2000
    world, beginning = World(), clock.now() - (DAYS + 1) * DAY
    app = world.app_in_use(conversations=a_day, until=beginning)
    world.settle()
    with connection.cursor() as cursor:
        for statement in _VACUUM_BY_ITSELF:
            cursor.execute(statement)
    before, dead = _asked(_SIZE), list[float]()
    for day in range(1, DAYS + 1):
        now = beginning + day * DAY
        world.write([app], newest=world.now - now, within=DAY, talk=1)
        purging.run(now=now, app=app)
        _let_vacuum()
        dead.append(_asked(_DEAD))
    size = f"{DAYS} days of {a_day:,} messages, kept {OVERDUE.days} days".replace(",", " ")
    yield Figure(
        "size of the tables after a month of purges ÷ before", size, _asked(_SIZE) / before, Goal("≤", 1.15)
    )
    yield Figure("dead rows ÷ living, on the worst day", size, max(dead), Goal("≤", 0.15))


def _let_vacuum() -> None:
    """Until autovacuum has done what its settings ask of it."""
    until = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
    while _asked(_WAITING) and time.monotonic() < until:
        time.sleep(0.2)


def _asked(statement: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute(statement, [TABLES])
        return float(cursor.fetchone()[0])
