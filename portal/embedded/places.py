"""Where the embedded servers live in `DATA_DIR`, and the URLs that lead to them.

DATA_DIR/secrets/          0700, ours: a file (0600) for each secret
DATA_DIR/logs/             what the servers said since their last start
DATA_DIR/embedded/         0700, the servers' own; a link, where they could not reach it here
    postgres/  valkey/     their data
    run/                   their sockets; a link, where the path would be too long for one
"""

import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from portal.embedded import account
from portal.embedded.account import Account

POSTGRES_SOCKET = ".s.PGSQL.5432"
VALKEY_SOCKET = "valkey.sock"
# sun_path has 108 bytes on Linux and 104 on macOS, the closing zero included.
_LONGEST_SOCKET_PATH = 103


class EmbeddedError(Exception):
    """An embedded server cannot run here. The message is one sentence for the person at the terminal."""


def database_url(data_dir: Path) -> str:
    """Where the embedded PostgreSQL answers when it runs; empty if it never ran here."""
    password = kept_secret(data_dir, "POSTGRES_PASSWORD")
    if not password:
        return ""
    return f"postgres://portal:{password}@/postgres?host={quote(str(socket_folder(data_dir)), safe='')}"


def redis_url(data_dir: Path) -> str:
    """Where the embedded Valkey answers when it runs; empty if no server ran here, nor is about to."""
    # `up` makes the password first, then reads the settings, then starts the servers.
    if not ((data_dir / "embedded").exists() or kept_secret(data_dir, "POSTGRES_PASSWORD")):
        return ""
    return f"unix://{quote(str(socket_folder(data_dir) / VALKEY_SOCKET))}"


def socket_folder(data_dir: Path) -> Path:
    """The servers' sockets; the real path, for a socket's path must be short."""
    return (data_dir / "embedded" / "run").resolve()


def kept_secret(data_dir: Path, name: str) -> str:
    """What `keep_secret` kept under this name, or nothing."""
    try:
        return (data_dir / "secrets" / name).read_text().strip()
    except FileNotFoundError:
        return ""


def keep_secret(data_dir: Path, name: str, value: str) -> str:
    """Keep a secret for our user's eyes only; it is there whole or not at all."""
    folder = data_dir / "secrets"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=folder)  # 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(value)
    Path(draft).replace(folder / name)
    return value


def make_home(data_dir: Path, owner: Account) -> Path:
    """The servers' home, made if need be where their account can reach it. Raises EmbeddedError."""
    home = data_dir / "embedded"
    if home.is_symlink() and not home.exists():
        raise EmbeddedError(
            f"{home} leads to {home.readlink()}, which is gone: bring it back, or delete the link."
        )
    if not home.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        if owner.reaches(data_dir):
            home.mkdir(mode=0o700)
        else:
            home.symlink_to(tempfile.mkdtemp(prefix="data-", dir=account.state_folder()))
            say(f"{owner.name} cannot reach {data_dir}: the databases are in {home.readlink()}.")
    owner.takes(home.resolve())
    _make_socket_folder(home.resolve(), owner)
    return home.resolve()


def say(sentence: str) -> None:
    """Tell the person at the terminal; stdout belongs to the command's answer."""
    print(sentence, file=sys.stderr)


def _make_socket_folder(home: Path, owner: Account) -> None:
    run = home / "run"
    if run.is_symlink() and not run.exists():
        run.unlink()  # a short folder in /tmp does not survive a restart of the machine
    if not run.exists():
        if len(os.fsencode(run / POSTGRES_SOCKET)) <= _LONGEST_SOCKET_PATH:
            run.mkdir(mode=0o700)
        else:
            run.symlink_to(tempfile.mkdtemp(prefix="portal-"))
    owner.takes(run.resolve())
