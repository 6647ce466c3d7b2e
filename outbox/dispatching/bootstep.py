"""The step of a Celery worker that hosts a dispatcher, from the worker's start to its warm shutdown."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import uvloop
from celery import bootsteps
from celery.concurrency.prefork import TaskPool as PreforkPool
from django.core.exceptions import ImproperlyConfigured

from outbox.dispatching.database import Database, disconnect
from outbox.dispatching.dispatcher import Dispatcher
from outbox.dispatching.limits import Limits
from outbox.hosting import QUEUE

logger = logging.getLogger(__name__)

RESTART_SECONDS = 5.0
YOUNG_OBJECTS = (
    20_000  # until the garbage collector looks at them: a busy dispatcher makes thousands a second
)


class DispatcherStep(bootsteps.StartStopStep):
    """Starts before the worker looks for its broker, so that a broker that is down stops nothing here."""

    requires = ("celery.worker.components:Pool",)

    def include_if(self, parent: Any) -> bool:
        """Only where the worker was told to serve the outbox."""
        return QUEUE in parent.app.amqp.queues.consume_from

    def create(self, parent: Any) -> Any:
        """One for the worker, which must not fork: a fork would copy a running event loop."""
        if issubclass(parent.pool_cls, PreforkPool):
            raise ImproperlyConfigured('Start the worker of the queue "outbox" with --pool threads.')
        return DispatcherThread()

    def close(self, parent: Any) -> None:
        """The worker begins to stop: so does the dispatcher, while tasks end."""
        self.obj.ask_to_stop()


class DispatcherThread(threading.Thread):
    """A dispatcher with its own event loop and its own database connections; comes back when it fails."""

    def __init__(self, *, limits: Limits | None = None) -> None:
        super().__init__(name="outbox-dispatcher", daemon=True)
        self._limits = limits or Limits()
        self._stopping = threading.Event()
        self._dispatcher: Dispatcher | None = None

    def run(self) -> None:
        """Dispatch until the worker stops."""
        gc.collect()
        gc.freeze()  # what is loaded by now stays: no collection need look through it again
        gc.set_threshold(YOUNG_OBJECTS)
        with (
            ThreadPoolExecutor(1, thread_name_prefix="outbox-database") as reads,
            ThreadPoolExecutor(1, thread_name_prefix="outbox-flushes") as flushes,
        ):
            while not self._stopping.is_set():
                self._dispatcher = Dispatcher(
                    database=Database(reads), flush_database=Database(flushes), limits=self._limits
                )
                if self._stopping.is_set():
                    break
                try:
                    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                        runner.run(self._dispatcher.run())
                except Exception:
                    logger.exception("The dispatcher failed; it starts again in %.0f s", RESTART_SECONDS)
                    self._stopping.wait(RESTART_SECONDS)
            reads.submit(disconnect)
            flushes.submit(disconnect)

    def ask_to_stop(self) -> None:
        """Begin to stop, without waiting."""
        self._stopping.set()
        if self._dispatcher:
            self._dispatcher.stop()

    def stop(self) -> None:
        """Stop, and wait until the lanes are released."""
        self.ask_to_stop()
        self.join()
