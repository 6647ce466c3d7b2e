"""Whom the embedded servers run as: ourselves, but never root, whom PostgreSQL refuses."""

import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.running import lifetime

_STATE_FOLDER = Path("/var/lib/conversation-api")


@dataclass(frozen=True)
class Account:
    """A user of this machine."""

    name: str
    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        """Whether we already are this user."""
        return self.uid == os.geteuid()

    @property
    def popen_arguments(self) -> dict[str, Any]:
        """What makes `subprocess` start a program as this user, without any group of ours."""
        if self.is_ours:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def reaches(self, path: Path) -> bool:
        """Whether this user may walk to `path` and look into it. No folder is ever opened up for it."""
        if self.is_ours:
            return True
        walkable = all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)
        return walkable and bool(path.stat().st_mode & stat.S_IXOTH)

    def takes(self, path: Path) -> None:
        """Make this user the owner of a file or folder of ours."""
        os.chown(path, self.uid, self.gid)


def for_servers() -> Account:
    """Our own user, or `nobody` when we are root."""
    if os.geteuid() != 0:
        return Account(f"number {os.geteuid()}", os.geteuid(), os.getegid())
    nobody = pwd.getpwnam("nobody")
    return Account("nobody", nobody.pw_uid, nobody.pw_gid)


def state_folder() -> Path:
    """Where root keeps what the servers' account must reach: root's own, so that none can plant anything."""
    _STATE_FOLDER.mkdir(parents=True, exist_ok=True)
    _STATE_FOLDER.chmod(0o755)  # whatever the umask
    return _STATE_FOLDER


def within_reach(packages: list[Path], *, version: str, account: Account) -> Path:
    """The folder that holds these folders of binaries side by side: where they are, else a copy made once."""
    if all(account.reaches(package) for package in packages):
        return packages[0].parent
    copy, draft = state_folder() / version, state_folder() / "copying"
    with lifetime.exclusive(state_folder() / "copying.lock", patience=60):
        if not copy.exists():
            shutil.rmtree(draft, ignore_errors=True)
            for package in packages:
                shutil.copytree(package, draft / package.name)
            _open_up(draft)
            draft.replace(copy)
    return copy


def _open_up(copy: Path) -> None:
    # A strict umask at installation would leave the copy as closed as the original.
    for path in [copy, *copy.rglob("*")]:
        path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
