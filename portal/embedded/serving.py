"""Who starts and stops the embedded servers: their owner. Others use them while it runs.

One process at a time owns the servers of a `DATA_DIR`: it holds `owner.lock`, they are its children and
die with it. Whoever uses them beside it holds `users.lock` together with others, so a command that owns
them for its own time lets the others finish first.
"""

import contextlib
import math
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

from portal.embedded import postgres, valkey
from portal.embedded.places import EmbeddedError
from portal.embedded.server import Server
from portal.environment import EMBEDDED_START_SECONDS, env
from portal.running import lifetime


class Kind(Protocol):
    """A kind of server: the modules `postgres` and `valkey`."""

    def answers(self, data_dir: Path) -> bool:
        """Whether it runs here."""

    def start(self, data_dir: Path, *, seconds: float) -> Server:
        """Start it here."""


class Owned:
    """A server of ours, in whichever process it runs by now."""

    def __init__(self, kind: Kind, data_dir: Path) -> None:
        self._start = partial(kind.start, data_dir, seconds=EMBEDDED_START_SECONDS)
        self._server = self._start()
        self.name = self._server.name
        self.data = self._server.data
        self.stop_signal = self._server.stop_signal

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The one that runs, or ran last."""
        return self._server.process

    def start_again(self) -> None:
        """On the same data; returns when it answers. Raises EmbeddedError."""
        self._server = self._start()

    def stop(self) -> None:
        """End it in order."""
        self._server.stop()


def missing() -> list[Kind]:
    """The servers to embed: those whose URL the environment does not give. The first is stopped last."""
    kinds: dict[str, Kind] = {"DATABASE_URL": postgres, "REDIS_URL": valkey}
    return [kind for name, kind in kinds.items() if not env.str(name, default="")]


@contextlib.contextmanager
def owned(
    data_dir: Path, kinds: list[Kind], *, patience: float = EMBEDDED_START_SECONDS
) -> Iterator[list[Owned]]:
    """Start the servers and stop them at the end. Raises lifetime.Busy while another process owns them."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with lifetime.exclusive(data_dir / "owner.lock", patience=patience), contextlib.ExitStack() as stops:
        servers = []
        for kind in kinds:
            server = Owned(kind, data_dir)
            stops.callback(server.stop)
            servers.append(server)
        yield servers


@contextlib.contextmanager
def available(data_dir: Path, kinds: list[Kind]) -> Iterator[None]:
    """Servers that answer: those of a running owner, else our own for the time of the block."""
    with contextlib.ExitStack() as stack:
        if kinds:
            _own_or_join(data_dir, kinds, stack)
        yield


def _own_or_join(data_dir: Path, kinds: list[Kind], stack: contextlib.ExitStack) -> None:
    deadline = time.monotonic() + EMBEDDED_START_SECONDS
    while True:
        with contextlib.suppress(lifetime.Busy):
            _own(data_dir, kinds, stack)
            return
        with contextlib.suppress(lifetime.Busy):
            stack.enter_context(lifetime.shared(data_dir / "users.lock", patience=0))
            if all(kind.answers(data_dir) for kind in kinds):
                return
        stack.close()  # the owner is starting, or stopping: ask again
        if time.monotonic() > deadline:
            raise EmbeddedError(f"Another process owns the servers in {data_dir}, and they do not answer.")
        time.sleep(0.1)


def _own(data_dir: Path, kinds: list[Kind], stack: contextlib.ExitStack) -> None:
    """Unwound from below: wait until nobody else uses the servers, stop them, let the next come in."""
    closing = stack.enter_context(contextlib.ExitStack())
    stack.enter_context(owned(data_dir, kinds, patience=0))
    nobody_else = lifetime.exclusive(data_dir / "users.lock", patience=math.inf)
    stack.callback(closing.enter_context, nobody_else)
