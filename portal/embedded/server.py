"""A server process: started quietly, known to answer, stopped politely, never left behind."""

import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from portal.embedded.account import Account
from portal.embedded.places import EmbeddedError
from portal.running import lifetime

_STOP_SECONDS = 30.0


@dataclass(frozen=True)
class Server:
    """One running server and how it is stopped."""

    name: str
    process: "subprocess.Popen[bytes]"
    data: Path
    stop_signal: signal.Signals

    def stop(self) -> None:
        """End it in order; by force after half a minute."""
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def launch(
    name: str, command: list[str], *, account: Account, log: Path, stop_signal: signal.Signals, data: Path
) -> Server:
    """Start the server in its data's folder and a session of its own: a Ctrl-C at the terminal is not meant for it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 -- our own command line
            command,
            cwd=data,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lifetime.dying_with_parent(stop_signal),  # noqa: PLW1509 -- no thread runs yet
            **account.popen_arguments,
        )
    return Server(name, process, data, stop_signal)


def wait_until(answers: Callable[[], bool], server: Server, *, log: Path, seconds: float) -> None:
    """Return when the server answers, else stop it. Raises EmbeddedError when it ends, or is not in time."""
    deadline = time.monotonic() + seconds
    try:
        while not answers():
            if server.process.poll() is not None:
                raise EmbeddedError(f"{server.name} ended while starting; {log} ends with: {last_words(log)}")
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"{server.name} did not answer in {seconds:g} s (EMBEDDED_START_SECONDS): see {log}."
                )
            time.sleep(0.02)
    except BaseException:  # a Ctrl-C too leaves nothing behind
        server.stop()
        raise


def last_words(log: Path) -> str:
    """The line of a log that says why its server ended, as far as one can tell."""
    lines = [line for line in log.read_text(errors="replace").split("\n") if line.strip()]
    fatal = [line for line in lines if "FATAL" in line]
    return (fatal or lines or ["nothing"])[-1]


def end_orphans(folder: Path, *, seconds: float) -> None:
    """Stop servers whose working directory is this data folder, left behind by an owner that was killed.

    Only for who holds the owner's lock: nobody else can own them. Raises EmbeddedError when they stay.
    """
    deadline = time.monotonic() + seconds
    asked: set[int] = set()
    while orphans := _living_in(folder):
        if time.monotonic() > deadline:
            raise EmbeddedError(f"Process {orphans[0].pid} still works in {folder}: stop it first.")
        pids = {orphan.pid for orphan in orphans}
        for orphan in orphans:
            # A server's own children end with it.
            if orphan.info["ppid"] not in pids and orphan.pid not in asked:
                asked.add(orphan.pid)
                orphan.send_signal(signal.SIGINT)
        time.sleep(0.05)


def _living_in(folder: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter(["cwd", "ppid"]) if process.info["cwd"] == str(folder)]
