"""The servers a benchmark runs on: an embedded PostgreSQL and Redis of its own, as safe as in production."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from portal import embedded
from portal.embedded import postgres, valkey
from portal.environment import EMBEDDED_START_SECONDS

_SETTINGS = {
    "SECRET_KEY": "opens-nothing-and-serves-the-benchmarks-alone-0123456789",
    "FIELD_ENCRYPTION_KEYS": "b3BlbnMgbm90aGluZzsgbWFrZSBjaGVjayBoYXMgaXQ=",
    "CHANNELS_SANDBOXED": "*",
    "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
    "API_RATE_LIMIT": "0",
    "LOG_LEVEL": "WARNING",
}
# Room for the larger tables, so that it is our statements that are measured and not the disk.
_OPTIONS = {"shared_buffers": "1GB", "max_wal_size": "8GB", "max_connections": "100"}


@contextlib.contextmanager
def running() -> Iterator[Postgres]:
    """Both servers, named in the environment, and Django set up on a migrated database."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder, contextlib.ExitStack() as stops:
        data_dir = Path(folder)
        # Started by root, the servers are not root's: they must get to their own folder in it.
        data_dir.chmod(0o711)
        server = postgres.start(data_dir, seconds=EMBEDDED_START_SECONDS, options=_OPTIONS)
        stops.callback(server.stop)
        stops.callback(valkey.start(data_dir, seconds=EMBEDDED_START_SECONDS).stop)
        os.environ |= _SETTINGS | {
            "DATA_DIR": str(data_dir),
            "DATABASE_URL": embedded.database_url(data_dir),
            "REDIS_URL": embedded.redis_url(data_dir),
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        }
        _migrate()
        yield Postgres(psutil.Process(server.process.pid))


def _migrate() -> None:
    import django  # noqa: PLC0415 -- the settings are read here, and not before
    from django.core.management import call_command  # noqa: PLC0415

    django.setup()
    call_command("migrate", verbosity=0)


class Postgres:
    """The database server, as the machine sees it."""

    def __init__(self, process: psutil.Process) -> None:
        self.process = process

    def cpu_seconds(self) -> float:
        """What it has computed so far, in all its processes; those that have ended are counted too."""
        own = self.process.cpu_times()
        alive = [child.cpu_times() for child in self.process.children() if child.is_running()]
        living = sum(times.user + times.system for times in alive)
        return float(own.user + own.system + own.children_user + own.children_system + living)
