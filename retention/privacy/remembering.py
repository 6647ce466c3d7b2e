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
    """What the record says of one."""

    request_id: str
    project_id: str
    contact_id: str
    identities: frozenset[str]  # hashes, in hexadecimal
    is_done: bool = False  # it came to its end


def write_down(request: PrivacyRequest, person: Person) -> None:
    """Before anything is deleted, and once: it is on the disk when this returns."""
    identities = [
        fingerprint(person.project_id, channel, identity) for channel, identity, _ in person.identities
    ]
    _add(
        "request",
        request,
        project=str(person.project_id),
        contact=person.contact_id,
        identities=identities,
    )


def write_off(request: PrivacyRequest) -> None:
    """Before the database says that it is done: one that never heard of that was restored."""
    _add("done", request)


def written() -> Iterator[Erasure]:
    """Every erasure, in the order in which they began."""
    lines: list[dict[str, Any]] = [json.loads(text) for text in _lines()]
    done = {line.get("done") for line in lines}
    for line in lines:
        if request_id := line.get("request"):
            identities = frozenset(line["identities"])
            yield Erasure(request_id, line["project"], line["contact"], identities, request_id in done)


def fingerprint(project_id: object, channel: str, identity: str) -> str:
    """A keyed hash: who has the record and not the key cannot try numbers until one fits."""
    text = SEPARATOR.join((str(project_id), channel, identity))
    return hmac.new(keeping.made_once("ERASURE_KEY").encode(), text.encode(), hashlib.sha256).hexdigest()


def _add(what: str, request: PrivacyRequest, **about: Any) -> None:
    """A line, unless there is one that begins so."""
    begin = json.dumps({what: request.pk}).removesuffix("}")
    path = Path(settings.ERASURE_RECORD)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        lines = _lines()
        if any(line.startswith(begin) for line in lines):
            return
        file.truncate(len("".join(lines).encode()))
        file.write(json.dumps({what: request.pk} | about) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _lines() -> list[str]:
    """The whole ones. Of one that a crash cut short nothing was erased: it had to be on the disk first."""
    path = Path(settings.ERASURE_RECORD)
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [line for line in lines if line.endswith("\n")]
