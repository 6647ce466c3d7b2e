"""What telling an app's webhooks adds to the transaction of what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Final

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from benchmarks import letters, parcels, rounds
from benchmarks.figures import Figure, Goal
from benchmarks.servers import Postgres
from outbox import entries
from projects import clock, ids
from projects.models import App
from webhooks.models import Webhook
from webhooks.publishing import WEBHOOK, About, publish
from webhooks.triggers import Trigger

LISTENERS: Final = 5


def figures(postgres: Postgres, *, full: bool) -> Iterator[Figure]:  # noqa: ARG001 -- a benchmark's shape
    """Who listens, the event and its entries, beside a statement that asks nothing."""
    app, now = _listened_to(), clock.now()
    tell = partial(_tell, app, About(accepted_time=now, event_time=now))
    times = 2000 if full else 500
    with transaction.atomic():
        compared = rounds.interleaved(
            {
                "publishing": lambda: _median(tell, times=times),
                "nothing": lambda: _median(_ask_nothing, times=times),
            }
        )
        with CaptureQueriesContext(connection) as asked:
            tell()
        transaction.set_rollback(True)
    added = compared.median("publishing") - compared.median("nothing")
    size = f"event and {LISTENERS} entries, median of {times}, less an empty statement"
    yield Figure("publishing, with what happened", size, added * 1000, Goal("≤", 0.4, "ms"))
    yield Figure("publishing: round trips", f"event and {LISTENERS} entries", len(asked), Goal("≤", 1))


def _listened_to() -> App:
    first, *_ = parcels.make_webhooks(["http://127.0.0.1/0"])
    others = [
        Webhook.objects.create(
            project=first.project,
            app=first.app,
            target=f"http://127.0.0.1/{number}",
            secret=letters.SECRET,
            triggers=first.triggers,
        )
        for number in range(1, LISTENERS)
    ]
    for webhook in [first, *others]:
        entries.open_lane(WEBHOOK, ids.to_uuid(webhook.id))
    parcels.settle()
    return first.app


def _tell(app: App, about: About) -> None:
    payload = {"message": {"direction": "TO_APP", "text": "Lorem ipsum dolor sit amet, " * 20}}
    publish(app=app, trigger=Trigger.MESSAGE_INBOUND, payload=payload, about=about)


def _ask_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _median(work: Callable[[], object], *, times: int) -> float:
    return median(rounds.seconds(work) for _ in range(times))
