"""The record of erasures outside the database: a restored backup knows nothing of what came after it.

It names nobody: contacts by their id, identities by a keyed hash.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from retention.models import PrivacyRequest
from retention.privacy.tracing import Person
from retention.proving import keeping

SEPARATOR: Final = "\x1f"  # in no identity, so no two are hashed alike


@dataclass(frozen=True, slots=True)
class Erasure:
    """A line of the record."""

    request_id: str
    project_id: str
    contact_id: str
    identities: frozenset[str]  # hashes, in hexadecimal


def write_down(request: PrivacyRequest, person: Person) -> None:
    """Before anything is deleted, and once: it is on the disk when this returns."""
    path = Path(settings.ERASURE_RECORD)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        lines = _lines()
        if any(request.pk in line for line in lines):
            return
        file.truncate(len("".join(lines).encode()))
        line = {
            "request": request.pk,
            "project": str(person.project_id),
            "contact": person.contact_id,
            "identities": [
                fingerprint(person.project_id, channel, identity)
                for channel, identity, _ in person.identities
            ],
        }
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())


def written() -> Iterator[Erasure]:
    """Every line, in the order in which they came."""
    for text in _lines():
        line: dict[str, Any] = json.loads(text)
        yield Erasure(line["request"], line["project"], line["contact"], frozenset(line["identities"]))


def fingerprint(project_id: object, channel: str, identity: str) -> str:
    """A keyed hash: who has the record and not the key cannot try numbers until one fits."""
    text = SEPARATOR.join((str(project_id), channel, identity))
    return hmac.new(keeping.made_once("ERASURE_KEY").encode(), text.encode(), hashlib.sha256).hexdigest()


def _lines() -> list[str]:
    """The whole ones. Of one that a crash cut short nothing was erased: it had to be on the disk first."""
    path = Path(settings.ERASURE_RECORD)
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [line for line in lines if line.endswith("\n")]
