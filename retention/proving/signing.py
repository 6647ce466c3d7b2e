"""The installation's signature under what leaves the ledger: Ed25519, over the canonical form."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from retention.proving import keeping
from retention.proving.ledger import Record, canonical

ALGORITHM: Final = "Ed25519"


def signed(document: Record) -> Record:
    """The document with our signature in it, made with the newest key."""
    key = _keys(settings.LEDGER_SIGNING_KEYS, settings.DATA_DIR)[0]
    return document | {
        "signed": {
            "algorithm": ALGORITHM,
            "public_key": _text(key.public_key().public_bytes_raw()),
            "signature": _text(key.sign(canonical(document))),
        }
    }


def is_ours(document: Mapping[str, Any]) -> bool:
    """Whether the document is as one of our keys signed it."""
    try:
        seal = document["signed"]
        public_key, signature = base64.b64decode(seal["public_key"]), base64.b64decode(seal["signature"])
    except (KeyError, TypeError, binascii.Error):
        return False
    if _text(public_key) not in public_keys():
        return False
    rest = {name: value for name, value in document.items() if name != "signed"}
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, canonical(rest))
    except InvalidSignature:
        return False
    return True


def public_keys() -> list[str]:
    """What others verify our signatures with, newest first; in base64."""
    keys = _keys(settings.LEDGER_SIGNING_KEYS, settings.DATA_DIR)
    return [_text(key.public_key().public_bytes_raw()) for key in keys]


@cache
def _keys(configured: str, data_dir: Path | str) -> list[Ed25519PrivateKey]:  # noqa: ARG001 -- another, other keys
    """Those of the setting; without it one of our own."""
    texts = configured or keeping.made_once("LEDGER_SIGNING_KEYS")
    return [Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(text)) for text in texts.split(",")]


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()
