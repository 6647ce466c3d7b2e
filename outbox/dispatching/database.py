"""The dispatcher's way to the database: one thread, one connection, and patience when the server is away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 2.0

Terms = ParamSpec("Terms")
Found = TypeVar("Found")


class Broken(OperationalError):
    """The connection broke: no row is to blame, and the same may be done again on another."""


@contextmanager
def unbroken() -> Iterator[None]:
    """Raises Broken instead of whatever was raised in the block, where the connection is not what it was.

    Looking whether it is closed is not enough: a transaction that ends opens another at once.
    """
    connection.ensure_connection()
    line = connection.connection
    try:
        yield
    except Exception as error:
        if connection.connection is not line or line.closed:
            raise Broken("The connection to the database broke.") from error
        raise


class Database:
    """Runs jobs one after the other in the thread of `executor`, so they never overlap.

    With `is_patient` a job that failed with the connection is tried again until the database is back. So a
    job is one statement or one transaction.
    """

    def __init__(self, executor: Executor, *, is_patient: bool = True) -> None:
        self._executor = executor
        self.is_patient = is_patient

    async def run(self, job: Callable[Terms, Found], *args: Terms.args, **kwargs: Terms.kwargs) -> Found:
        """What the job gives, in the end."""
        delay = FIRST_DELAY_SECONDS
        while True:
            try:
                return await self._submit(partial(job, *args, **kwargs))
            except (OperationalError, InterfaceError) as error:
                if not self.is_patient:
                    raise
                logger.warning("The outbox waits %.1f s for the database: %s", delay, error)
            await self._submit(disconnect)
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY_SECONDS)

    async def _submit(self, job: Callable[[], Found]) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._executor, job)


def disconnect() -> None:
    """Close the connection of the thread that runs this."""
    connection.close()  # looked up here: `connection.close` handed to another thread would close the giver's
