"""The database may go away; jobs wait for it, unless somebody wants to leave."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, transaction

from outbox.dispatching.database import Broken, Database, unbroken


class Outage:
    """A job that finds no server the first few times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __call__(self) -> str:
        self.times -= 1
        if self.times >= 0:
            raise OperationalError("the server is away")
        return "done"


def test_a_job_waits_until_the_database_is_back():
    with ThreadPoolExecutor(1) as executor:
        assert asyncio.run(Database(executor).run(Outage(times=2))) == "done"


def test_a_job_that_must_not_wait_fails_at_once():
    with ThreadPoolExecutor(1) as executor, pytest.raises(OperationalError):
        asyncio.run(Database(executor, is_patient=False).run(Outage(times=1)))


def test_patience_can_end_while_a_job_waits():
    async def story(database: Database) -> None:
        job = asyncio.create_task(database.run(Outage(times=1000)))
        await asyncio.sleep(0.15)
        database.is_patient = False
        async with asyncio.timeout(5):
            await job

    with ThreadPoolExecutor(1) as executor, pytest.raises(OperationalError):
        asyncio.run(story(Database(executor)))


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_broke_is_told_from_a_row_that_is_to_blame():
    with pytest.raises(ValueError, match="this row"), unbroken(), transaction.atomic():
        raise ValueError("this row")

    with pytest.raises(Broken), unbroken(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
