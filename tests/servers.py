"""A pytest plugin (`-p tests.servers`): the suite's settings, PostgreSQL and Redis.

A plugin, because pytest-django reads the settings before any conftest is loaded. Where DATABASE_URL and
REDIS_URL are not set, one embedded pair serves every xdist worker; each has a database of its own.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portal import embedded
from portal.embedded import postgres, valkey

_SETTINGS = {
    "SECRET_KEY": "opens-nothing-and-serves-the-tests-alone-0123456789",
    "FIELD_ENCRYPTION_KEYS": "b3BlbnMgbm90aGluZzsgbWFrZSBjaGVjayBoYXMgaXQ=",
    "CHANNELS_SANDBOXED": "*",
    "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
}
# What a crash would lose, nobody would miss.
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_stops = contextlib.ExitStack()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Iterator[Any]:
    """Before pytest-django reads the settings. xdist's workers inherit the environment and start nothing."""
    os.environ.update(_SETTINGS)
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        _serve(Path(_stops.enter_context(tempfile.TemporaryDirectory(prefix="portal-tests-"))))
    return (yield)


def pytest_unconfigure() -> None:
    """Stop what we started, Redis first."""
    _stops.close()


def _serve(data_dir: Path) -> None:
    data_dir.chmod(
        0o711
    )  # started by root, the servers are not root's: they must get to their own folder in it
    os.environ["DATA_DIR"] = str(data_dir)
    if not os.environ.get("DATABASE_URL"):
        _stops.callback(postgres.start(data_dir, seconds=60, options=_FORGETFUL).stop)
        os.environ["DATABASE_URL"] = embedded.database_url(data_dir)
    if not os.environ.get("REDIS_URL"):
        _stops.callback(valkey.start(data_dir, seconds=60).stop)
        os.environ["REDIS_URL"] = embedded.redis_url(data_dir)
