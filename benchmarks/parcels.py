"""What the outbox's benchmarks send: webhooks' events, and the emptiest kind there can be."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.utils import timezone

from benchmarks import letters
from benchmarks.sink import HERE
from gateway.http import Request, Response
from outbox import entries, statements
from outbox.dispatching.bootstep import DispatcherThread
from outbox.dispatching.limits import Limits
from outbox.kinds import Claimed, Decision, Result, Verdict
from outbox.models import Entry, Lane
from projects import ids
from projects.models import Account, App, Project
from webhooks.models import Attempt, Event, Webhook
from webhooks.publishing import WEBHOOK
from webhooks.triggers import Trigger

LOOPBACK: Final = Limits(in_flight=128)  # a receiver on this machine answers at once: more would only queue
_DONE: Final = Verdict(Decision.DONE)
_marks = itertools.count(1)


def make_webhooks(targets: Sequence[str]) -> list[Webhook]:
    """One for each target, each of an app of its own."""
    project = Project.objects.create(name="Benchmark", account=Account.objects.create(name="Benchmark"))
    apps = [App.objects.create(project=project, display_name=target[-60:]) for target in targets]
    return [
        Webhook.objects.create(
            project=project, app=app, target=target, secret=letters.SECRET, triggers=[Trigger.MESSAGE_INBOUND]
        )
        for app, target in zip(apps, targets, strict=True)
    ]


@transaction.atomic
def publish(webhooks: Sequence[Webhook], count: int) -> list[str]:
    """So many events, to one webhook after the other, committed at once; gives their marks."""
    turns = list(itertools.islice(itertools.cycle(webhooks), count))
    marks = [next(_marks) for _ in turns]
    now = timezone.now()
    events = Event.objects.bulk_create(
        (
            Event(
                app_id=webhook.app_id,
                trigger=Trigger.MESSAGE_INBOUND,
                body=letters.body(mark),
                accept_time=now,
            )
            for webhook, mark in zip(turns, marks, strict=True)
        ),
        batch_size=2000,
    )
    pairs = zip(turns, events, strict=True)
    entries.put(WEBHOOK, [(ids.to_uuid(webhook.id), ids.to_uuid(event.id)) for webhook, event in pairs])
    return [str(mark) for mark in marks]


class Blanks:
    """A kind that asks nobody: what is left is the outbox itself."""

    name = "blank"

    def load(self, entries: Sequence[Claimed]) -> Mapping[int, Request]:
        """Answered before they are sent."""
        return {claimed.id: Request("POST", "blank:", answer=Response(200)) for claimed in entries}

    def read(self, claimed: Claimed, request: Request, response: Response) -> Verdict:
        """All is well."""
        return _DONE

    def record(self, results: Sequence[Result]) -> None:
        """Keep nothing."""


def put_blanks(count: int, *, lanes: int) -> None:
    """So many entries, spread over lanes of their own."""
    owners = [uuid4() for _ in range(lanes)]
    entries.put(Blanks.name, [(owners[i % lanes], uuid4()) for i in range(count)])


def empty() -> None:
    """Leave nothing of what was sent, and the tables as they are after a quiet night."""
    tables = ", ".join(model._meta.db_table for model in (Entry, Lane, Attempt, Event))
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables}")


def forget_history() -> None:
    """Leave what waits; nobody asks for what was sent."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {Attempt._meta.db_table}")


def settle() -> None:
    """Let the planner know what is there, as autovacuum would in a while."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE outbox_entry, outbox_lane, webhooks_event, webhooks_attempt")


def wait_until_empty(*, seconds: float, owners: Sequence[UUID] = ()) -> None:
    """Return when nothing waits any more. Raises TimeoutError."""
    end = time.monotonic() + seconds
    waiting = Entry.objects.filter(lane__owner__in=owners) if owners else Entry.objects.all()
    # The newest is the last to leave: who asks for any reads all that have left before. Composed once, as the
    # dispatcher shares this process.
    statement, terms = waiting.order_by("-id").values("id")[:1].query.sql_with_params()
    while statements.run(statement, terms):
        if time.monotonic() > end:
            raise TimeoutError(f"{waiting.count()} entries still wait after {seconds:.0f} s.")
        time.sleep(0.01)


@contextmanager
def dispatching(limits: Limits = LOOPBACK) -> Iterator[DispatcherThread]:
    """A dispatcher in a thread of this process, all of which is pinned to the first core meanwhile."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {HERE})
    dispatcher = DispatcherThread(limits=limits)
    dispatcher.start()
    try:
        yield dispatcher
    finally:
        dispatcher.stop()
        os.sched_setaffinity(0, before)
