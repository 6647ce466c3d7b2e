"""The packages we measure ourselves against, in an environment of their own: none of them is ours to depend on."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Final

from portal.environment import BASE_DIR

_LOCK: Final = Path(__file__).with_name("peers.txt")
_HOME: Final = BASE_DIR / "var" / "peers"
_UV: Final = BASE_DIR / ".tools" / "bin" / "uv"


def python() -> Path:
    """A Python that has them; installed the first time, which needs a package index."""
    stamp, digest = _HOME / "installed", hashlib.sha256(_LOCK.read_bytes()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == digest):
        print("  installing the peers …", flush=True)
        subprocess.run([_UV, "venv", "--quiet", "--clear", "--python", sys.executable, _HOME], check=True)
        subprocess.run(
            [_UV, "pip", "install", "--quiet", "--python", _HOME, "--require-hashes", "-r", _LOCK], check=True
        )
        stamp.write_text(digest)
    return _HOME / "bin" / "python"
