"""Everything together in the foreground: what `make run` calls."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connections

from portal.embedded import serving
from portal.running import falling, firstrun, lifetime, statics, supervising
from portal.running.supervising import Program, Supervisor
from projects import clock
from retention.privacy import restoring

_READY_SECONDS = 60.0


class Command(BaseCommand):
    """Database, Redis, web, workers and clock, with data to look at; Ctrl-C stops it all."""

    help = "Runs everything together in the foreground. Ctrl-C stops it."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, run, and say where to go."""
        fault = supervising.listening_fault(settings.BIND, settings.PORT, patience=2)
        if fault:
            raise CommandError(
                f"Nothing can listen on {settings.BIND}:{settings.PORT} ({fault}): set BIND or PORT."
            )
        try:
            with serving.owned(settings.DATA_DIR, serving.missing()) as servers:
                for server in servers:
                    self._say(f"{server.name} runs, with its data in {server.data}.")
                self._run(self._prepare_data(), servers)
        except falling.GivenUp as given_up:
            raise CommandError(f"{given_up}.") from given_up
        except lifetime.Busy as error:
            raise CommandError(
                f"Another command uses the servers in {settings.DATA_DIR}: let it finish."
            ) from error
        self._say("Stopped.")

    def _prepare_data(self) -> dict[str, Any]:
        try:
            call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
        except OperationalError as error:
            raise CommandError(f"The database cannot be used: {str(error).splitlines()[0]}") from error
        for request in restoring.reapply(now=clock.now()):
            self._say(f"A restored backup had brought back contact {request.contact_id}: erased again.")
        statics.collect()
        facts = firstrun.welcome(tell=self._say)
        connections.close_all()
        return facts

    def _run(self, facts: dict[str, Any], servers: Sequence[falling.Restartable]) -> None:
        """Run the programs until we are asked to stop. Raises GivenUp."""
        environment = {**os.environ, "CELERY_SKIP_CHECKS": "1"}
        with Supervisor(_programs(), environment=environment, cwd=settings.BASE_DIR) as supervisor:
            is_ready = supervisor.wait_until(_serves, seconds=_READY_SECONDS)
            if is_ready:
                self._greet(facts)
            # What falls before anything served would only fall again.
            delays = falling.DELAYS if is_ready else ()
            try:
                supervisor.wait(others=servers, delays=delays, tell=self._say)
            except falling.GivenUp as given_up:
                self._say(f"{given_up}: stopping the rest.")
                raise
            self._say("Stopping …")

    def _greet(self, facts: dict[str, Any]) -> None:
        """Where to go, and with what."""
        password = facts.get("password", "as you set it, or anew by `manage.py changepassword`")
        self._say(f"Portal   {facts['admin_url']}  (user {facts['username']}, password {password})")
        self._say(f"API      {facts['base_url']}/v1/projects/{facts.get('project_id', '…')}/")
        self._say(f"Docs     {facts['base_url']}/api/docs/")
        self._say(f"All this, and the API key of the demo project, is in {firstrun.path()}")
        self._say("Ctrl-C stops everything.")

    def _say(self, sentence: str) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(sentence))
        self.stdout.flush()


def _serves() -> bool:
    return supervising.serves(settings.BIND, settings.PORT)


def _programs() -> list[Program]:
    """In the order they stop: nobody gives new work to those who still finish theirs."""
    # A checkout runs as whoever runs it: in a container that is root, and no task of ours is pickled.
    tolerantly = ["-W", "ignore:You're running the worker with superuser"]
    celery = [sys.executable, *tolerantly, "-m", "celery", "--quiet", "-A", "portal"]
    level = ["--loglevel", settings.LOG_LEVEL]
    alone = ["--without-heartbeat", "--without-gossip", "--without-mingle"]  # nobody to talk to
    worker = [*celery, "worker", "--pool", "threads", *level, *alone]
    schedule = ["--schedule", str(Path(settings.DATA_DIR) / "beat"), "--pidfile="]
    return [
        Program("web", [sys.executable, "-m", *web("portal.wsgi:application", port=settings.PORT)]),
        Program("beat", [*celery, "beat", *schedule, *level]),
        Program("worker", [*worker, "-Q", "celery", "-c", "2", "-n", "worker@%h"]),
        Program("outbox", [*worker, "-Q", "outbox", "-c", "1", "-n", "outbox@%h"]),
    ]


def web(application: str, *, port: int) -> list[str]:
    """What Python runs to serve the application: the benchmarks measure it as it is run here."""
    return [
        *["granian", "--interface", "wsgi", "--no-ws"],
        *["--host", settings.BIND, "--port", str(port)],
        *["--workers", str(settings.WEB_WORKERS), "--blocking-threads", "4"],
        *["--workers-kill-timeout", "10", "--respawn-failed-workers"],
        *["--log-level", settings.LOG_LEVEL.lower(), application],
    ]
