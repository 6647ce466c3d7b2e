"""Secrets of the installation's own: made once, kept in `DATA_DIR/secrets`."""

from __future__ import annotations

import base64
import contextlib
import os
import threading
from pathlib import Path

from django.conf import settings

LENGTH = 32  # random bytes


def made_once(name: str) -> str:
    """The secret in URL-safe base64; whoever asks first makes it, others who ask at that moment get the same."""
    path = Path(settings.DATA_DIR) / "secrets" / name
    if path.exists():
        return path.read_text().strip()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = path.with_name(f"{name}.{os.getpid()}.{threading.get_ident()}")
    made.touch(mode=0o600)
    made.write_text(base64.urlsafe_b64encode(os.urandom(LENGTH)).decode())
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(made)  # whole or not at all, and the first one wins
    made.unlink()
    return path.read_text().strip()
