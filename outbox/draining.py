"""Draining: everything that is due is dispatched before the call returns, for tests and one-off commands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

import uvloop

from outbox.dispatching.database import Database
from outbox.dispatching.dispatcher import Dispatcher
from outbox.dispatching.limits import Limits

Terms = ParamSpec("Terms")
Found = TypeVar("Found")


class CallingThread(Executor):
    """Runs what other threads submit in the thread that calls `work`, on the connection it has there."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    def submit(
        self, fn: Callable[Terms, Found], /, *args: Terms.args, **kwargs: Terms.kwargs
    ) -> Future[Found]:
        """Leave a job for the calling thread."""
        future: Future[Found] = Future()

        def job() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except Exception as error:
                future.set_exception(error)

        self._jobs.put(job)
        return future

    def close(self, _: Any = None) -> None:
        """Let `work` return once all that was submitted is done."""
        self._jobs.put(None)

    def work(self) -> None:
        """Run the jobs, until `close`."""
        while job := self._jobs.get():
            job()


def drain(*, horizon: timedelta = timedelta(0), timeout: float = 30.0, limits: Limits | None = None) -> int:
    """Dispatch all that is due now or until `horizon` from now; gives how many tries it took.

    Requests go over the real network. Follow-ups that `record` puts are dispatched too. Retries and delayed
    entries within the horizon are not waited for: the dispatcher's clock is put forward to them, so
    `Result.started_at` and `due_at` lie ahead of the database's clock then. All database work runs in the
    calling thread, on its connection: it sees what an open transaction wrote, and commits nothing on its own.

        publish(app=app, trigger=Trigger.MESSAGE_INBOUND, payload=payload)
        drain(horizon=timedelta(minutes=1))
        assert receiver.requests

    Raises TimeoutError when that takes longer than `timeout` seconds.
    """
    desk = CallingThread()
    database = Database(desk, is_patient=False)
    limits = replace(limits or Limits(), linger=0.0)
    dispatcher = Dispatcher(database=database, flush_database=database, limits=limits)

    async def run() -> int:
        async with asyncio.timeout(timeout):
            return await dispatcher.run_until_idle(horizon=horizon)

    def run_in_loop() -> int:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(run())

    with ThreadPoolExecutor(1, thread_name_prefix="outbox-drain") as threads:
        tries = threads.submit(run_in_loop)
        tries.add_done_callback(desk.close)
        desk.work()
        return tries.result()
