"""The web as `manage.py up` runs it, with an application of the benchmark's choice, and what it computes."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Final

import psutil
from django.conf import settings

from portal.management.commands import up
from portal.running import statics, supervising

_READY_SECONDS: Final = 60.0


class Web:
    """A running granian with its workers."""

    def __init__(self, process: psutil.Process, base_url: str) -> None:
        self.base_url = base_url
        self._process = process

    def cpu_seconds(self) -> float:
        """What its workers have computed so far."""
        workers = [child.cpu_times() for child in self._process.children(recursive=True)]
        return float(sum(times.user + times.system for times in workers))


@contextlib.contextmanager
def running(application: str) -> Iterator[Web]:
    """Serve the application on a free port, with as many workers and threads as `manage.py up` has."""
    statics.collect()  # as `up` does: without them every worker says so
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", *up.web(application, port=port)],
        cwd=settings.BASE_DIR,
        env=os.environ | {"STATIC_ROOT": str(settings.STATIC_ROOT)},
    )
    try:
        _wait_for(process, port)
        yield Web(psutil.Process(process.pid), f"http://{settings.BIND}:{port}")
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not supervising.serves(settings.BIND, port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("The web does not start.")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
