"""Static files, collected for the web when they have changed."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect() -> None:
    """Fill STATIC_ROOT with every app's files, hashed and compressed; at once when nothing changed."""
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    fingerprint = _fingerprint()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return
    call_command("collectstatic", interactive=False, verbosity=0, skip_checks=True)
    stamp.write_text(fingerprint)


def _fingerprint() -> str:
    seen = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            modified_at = storage.get_modified_time(path).timestamp()
            seen.update(f"{path} {storage.size(path)} {modified_at}\n".encode())
    return seen.hexdigest()
