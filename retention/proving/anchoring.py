"""Anchors: each day the ends of all chains, signed, in a file outside the database.

Whoever may do anything to the database could write a chain anew from some row on. Not what it was on that day.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from projects.mail import mailing, people
from retention.models import PurgeHead
from retention.proving import flushing, ledger, signing, summing

FIRST: Final = ""  # what the first anchor follows
KEEP: Final = "The ends of all chains. Keep this mail: the ledger is verified against it."


@dataclass(frozen=True, slots=True)
class Anchor:
    """How far the chains had come at a moment: by app id the number of rows and the last row's hash."""

    heads: Mapping[str, tuple[int, str]] = field(default_factory=dict)


def drop(*, now: datetime) -> Path | None:
    """Write the day's anchor and mail it, with the day's report, to who runs the installation; None: the day has one."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y-%m-%d}.json"
    if path.exists():
        return None
    text = json.dumps(signing.signed(_heads(now)), indent=1, sort_keys=True)
    _write(path, text)
    mailing.post(
        to=people.running_this(),
        subject=f"Purge ledger of {now:%Y-%m-%d}",
        text=f"{summing.of_the_day(now=now)}\n\n{KEEP}\n\n{text}\n",
        now=now,
        about="ledger anchor",
    )
    return path


def kept() -> Iterator[tuple[str, Anchor, str]]:
    """Every anchor in the folder, the oldest first: its name, what it says, and what is wrong with the file."""
    previous = FIRST
    for path in sorted(_folder().glob("*.json")):
        content = path.read_bytes()
        anchor, fault = _read(content, previous)
        yield path.name, anchor, fault
        previous = _hash(content)


def _heads(now: datetime) -> ledger.Record:
    heads = list(PurgeHead.objects.filter(number__gt=0).values_list("app_id", "number", "last_hash"))
    flushing.flush()
    last = max(_folder().glob("*.json"), default=None)
    return {
        "made_at": ledger.stamp(now),
        "previous": _hash(last.read_bytes()) if last else FIRST,
        "heads": {app_id: {"number": number, "hash": bytes(hash_).hex()} for app_id, number, hash_ in heads},
    }


def _read(content: bytes, previous: str) -> tuple[Anchor, str]:
    try:
        document: Any = json.loads(content)
    except ValueError:
        return Anchor(), "it cannot be read"
    if not isinstance(document, dict) or not signing.is_ours(document):
        return Anchor(), "its signature is not ours"
    heads = {app_id: (head["number"], head["hash"]) for app_id, head in document["heads"].items()}
    if document["previous"] != previous:
        return Anchor(heads), "the anchor before it is missing, or another"
    return Anchor(heads), ""


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and on the disk before anybody is told."""
    made = path.with_suffix(".new")
    with made.open("w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _folder() -> Path:
    return Path(settings.LEDGER_ANCHORS)
