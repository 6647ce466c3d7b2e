"""Makes `.venv`, installs a lock file into it, becomes its Python: `python3 bootstrap.py LOCK ARGUMENTS…`.

Needs nothing but the standard library and pip: no git, compiler, curl or python3-venv.
"""

import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = HERE / ".venv" / "bin" / "python"
TOOLS = HERE / ".tools"
PIP = [sys.executable, "-m", "pip"]
QUIET = ["--quiet", "--disable-pip-version-check", "--root-user-action=ignore"]


def main() -> None:
    """Install if need be, then run Python with what follows the lock's name."""
    if sys.version_info < (3, 11):  # noqa: UP036 -- said here, before anything else can fail
        found = sys.version.split()[0]
        sys.exit(f"Python 3.11 or newer is needed; this is {found}. Try: make PYTHON=python3.12 run")
    lock = HERE / sys.argv[1]
    stamp = HERE / ".venv" / (lock.name + ".installed")
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not (PYTHON.exists() and stamp.exists() and stamp.read_text() == digest):
        install(lock)
        stamp.write_text(digest)
    stop_with_make()
    os.chdir(HERE)
    os.execv(PYTHON, [str(PYTHON), *sys.argv[2:]])  # noqa: S606 -- no shell is wanted


def install(lock: Path) -> None:
    """Install exactly what the lock names: by uv in seconds, else by pip in a minute."""
    print(f"Installing {lock.name} into .venv …", flush=True)
    if not PYTHON.exists():
        # Without pip: Debian's python3 has no ensurepip, and the machine's pip can install into any Python.
        venv.create(HERE / ".venv", with_pip=False, symlinks=True, clear=True)
    if not installed_by_uv(lock):
        by_pip = [*PIP, "--python", str(PYTHON), "install", *QUIET, "--require-hashes", "-r", str(lock)]
        if subprocess.call(by_pip) != 0:  # noqa: S603 -- our own words
            sys.exit(f"{lock.name} could not be installed: pip says why above.")


def installed_by_uv(lock: Path) -> bool:
    """Whether uv did it: not with NO_UV=1, nor where only pip's configuration knows the way to an index."""
    if os.environ.get("NO_UV"):
        return False
    uv = TOOLS / "bin" / "uv"
    if not uv.exists():
        # --target, because a distribution's pip refuses to install beside its own packages (PEP 668).
        fetch = [*PIP, "install", *QUIET, "--target", str(TOOLS), "--upgrade", "uv"]
        subprocess.call(fetch)  # noqa: S603 -- our own words
    by_uv = [str(uv), "pip", "install", "--quiet", "--python", str(PYTHON), "--require-hashes", "-r"]
    # A certificate authority of the machine's own counts; another Python is never fetched.
    environment = {"UV_NATIVE_TLS": "true", **os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    if uv.exists() and subprocess.call([*by_uv, str(lock)], env=environment) == 0:  # noqa: S603 -- our own words
        return True
    print("uv could not install it: trying pip …", flush=True)
    return False


def stop_with_make() -> None:
    """When make is killed outright, what it ran is told to stop (Linux; elsewhere it carries on)."""
    if os.environ.get("MAKELEVEL") and sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


if __name__ == "__main__":
    main()
