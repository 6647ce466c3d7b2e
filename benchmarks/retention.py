"""The purge: what a deleted row costs against one big DELETE, and what those notice who write meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db import connection, transaction

from benchmarks import retention_beside, rounds
from benchmarks.figures import Figure, Goal
from benchmarks.retention_world import OVERDUE, World
from benchmarks.servers import Postgres
from projects import clock
from projects.models import App
from retention import measuring, purging, tasks
from retention.deleting import batches, windows
from retention.deleting.batches import Course

TURNS: Final = rounds.ROUNDS + 1  # the one that warms up takes rows too
HELD: Final = 1000  # conversations
SHARE: Final = 24_000  # rows of a round
# A run looks at every app before it begins; it is made for five minutes of work, not for a fifth of a second.
_SHARES: Final = {"task": 4 * SHARE}


def figures(postgres: Postgres, *, full: bool) -> Iterator[Figure]:  # noqa: ARG001 -- a benchmark's shape
    """G1 to G6 and G17 of the retention goals."""
    scale = 10 if full else 1
    world = World()
    now = clock.now()
    small = _cost_in_a_table_of(100_000 * scale, world, now)
    engines = {
        name: [world.apps(1, rows=_SHARES.get(name, SHARE) * scale) for _ in range(TURNS)]
        for name in _CONTENDERS
    }
    world.settle()
    yield from _cost_of_a_row(engines, world, now)
    large = _cost_in_a_table_of(1_000_000 * scale, world, now)
    yield Figure(
        "CPU a deleted row, large table ÷ small",
        f"{scale} M ÷ {scale}00 k rows",
        large / small,
        Goal("≤", 1.15),
    )
    yield from retention_beside.figures(world, scale, now)
    yield _lag(world, now)


# --- what a row costs -----------------------------------------------------------------------------


def _cost_of_a_row(engines: dict[str, list[list[App]]], world: World, now: datetime) -> Iterator[Figure]:
    for apps in engines["ledger and holds"]:
        world.hold(apps, conversations=HELD)
    left = {name: iter(groups) for name, groups in engines.items()}

    def contend(name: str) -> Callable[[], float]:
        def once() -> float:
            apps = next(left[name])
            world.let_expire(apps, now=now)
            there, before = World.count(apps), _cpu(with_ours=name == "task")
            _CONTENDERS[name](apps, now)
            spent = _cpu(with_ours=name == "task") - before
            return (there - World.count(apps)) / spent

        return once

    done = rounds.interleaved({name: contend(name) for name in engines})
    size, of_task = (
        f"{world.rows:,} messages, {world.rows_of(engines[name][0]):,} due a round".replace(",", " ")
        for name in ("engine", "task")
    )
    yield Figure("purge engine ÷ one big DELETE", size, done.ratio("engine", to="DELETE"), Goal("≥", 0.90))
    yield Figure(
        "with ledger, digest and holds ÷ one big DELETE",
        size,
        done.ratio("ledger and holds", to="DELETE"),
        Goal("≥", 0.75),
    )
    yield Figure(
        "Celery task, our process too ÷ one big DELETE",
        of_task,
        done.ratio("task", to="DELETE"),
        Goal("≥", 0.60),
    )


def _one_big_delete(apps: list[App], now: datetime) -> int:
    """The same work without any care: messages, receipts and routes gone, the same conversations renewed.

    One transaction, and a statement for each table; no ids given back, nothing counted, held or looked at again.
    """
    cutoff, app_ids = now - OVERDUE, [str(world_id) for world_id in World.ids(apps)]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM conversations_message AS message USING projects_app AS app WHERE app_id = app.id"
            " AND app.id = ANY(%s::uuid[]) AND accept_time < %s AND message.processing_mode = 'CONVERSATION'",
            [app_ids, cutoff],
        )
        deleted = int(cursor.rowcount)
        for table in ("conversations_receipt", "conversations_candidate"):
            cursor.execute(
                f"DELETE FROM {table} WHERE app_id = ANY(%s::uuid[]) AND accept_time < %s",  # noqa: S608
                [app_ids, cutoff],
            )
        cursor.execute(
            "UPDATE conversations_conversation AS c SET newest_accept_time ="
            " (SELECT max(accept_time) FROM conversations_message WHERE conversation_id = c.id)"
            " WHERE app_id = ANY(%s::uuid[]) AND newest_accept_time < %s",
            [app_ids, cutoff],
        )
    return deleted


def _engine(apps: list[App], now: datetime) -> int:
    """What a batch does, without putting it on record."""
    deleted = 0
    for app in apps:
        course, width = Course(part=0, at=now, target=windows.TARGET_WHEN_LATE), windows.FIRST_WIDTH
        while True:
            with transaction.atomic():
                begun = batches.begin(app.pk, is_patient=True)
                course, sweep = batches.up_to_date(course, begun)
                taken = batches.take(begun, sweep, course, width=width)
            if taken is None:
                break
            course, count = taken.course, taken.deletion.count.messages
            width = windows.next_width(taken.window.width, taken=count, target=course.target, seconds=0)
            deleted += count
    return deleted


def _with_ledger(apps: list[App], now: datetime) -> int:
    return sum(_batches(app, now) for app in apps)


def _batches(app: App, now: datetime) -> int:
    deleted, batch = 0, None
    while batch is None or not batch.is_last:
        course = batch.course if batch else Course(part=0, at=now, target=windows.TARGET_WHEN_LATE)
        batch = batches.purge(app.pk, course)
        deleted += batch.count.messages
    return deleted


def _task(apps: list[App], now: datetime) -> int:  # noqa: ARG001 -- a contender's shape
    before, duty = World.count(apps), purging.DUTY
    purging.DUTY = 1.0  # type: ignore[misc]  # a pause is no work
    tasks.purge_due.apply()
    purging.DUTY = duty  # type: ignore[misc]  # others pause
    return before - World.count(apps)


_CONTENDERS: Final[dict[str, Callable[[list[App], datetime], int]]] = {
    "DELETE": _one_big_delete,
    "engine": _engine,
    "ledger and holds": _with_ledger,
    "task": _task,
}


def _cost_in_a_table_of(rows: int, world: World, now: datetime) -> float:
    """CPU seconds of a deleted row, when the table has grown to so many."""
    groups = [world.apps(1, rows=6000) for _ in range(4)]
    world.grow(rows)
    world.settle()
    costs = []
    for apps in groups:
        world.let_expire(apps, now=now)
        before = _cpu()
        deleted = _with_ledger(apps, now)
        costs.append((_cpu() - before) / deleted)
    return sorted(costs[1:])[1]


def _cpu(*, with_ours: bool = False) -> float:
    """What our backend has computed so far, to the nanosecond; and this process, for what is measured with it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        spent = Path(f"/proc/{cursor.fetchone()[0]}/schedstat").read_text().split()[0]
    return int(spent) / 1e9 + (time.process_time() if with_ours else 0.0)


# --- looking --------------------------------------------------------------------------------------


def _lag(world: World, now: datetime) -> Figure:
    apps = world.many_apps(1000)
    took = sorted(rounds.seconds(lambda: measuring.lags(apps, at=now)) for _ in range(5))
    return Figure("lag of every app", "1 000 apps", took[2], Goal("≤", 1, "s"))
