"""Secrets at rest: AES-256-GCM under the newest of several keys, bound to the place they stand in.

A sealed secret reads `v1:<key id>:<base64url of nonce and ciphertext>`; the place (table, column, row) is
authenticated with it, so a value copied to another row does not open there.
"""

import base64
import hashlib
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_NONCE_BYTES = 12
_URL_SAFE = str.maketrans("+/", "-_")  # a key may be written in either alphabet of base64


class Sealed(str):
    """A secret as it is stored. Not the secret."""

    __slots__ = ()


class CannotUnseal(Exception):
    """No configured key opens this secret here. Add the key that sealed it to FIELD_ENCRYPTION_KEYS."""


def seal(secret: str, *, place: str) -> Sealed:
    """The secret under the newest key; an empty one stays empty."""
    if not secret:
        return Sealed("")
    key_id, cipher = next(iter(_ciphers().items()))
    nonce = os.urandom(_NONCE_BYTES)
    sealed = nonce + cipher.encrypt(nonce, secret.encode(), place.encode())
    return Sealed(f"v1:{key_id}:{base64.urlsafe_b64encode(sealed).decode()}")


def unseal(sealed: Sealed, *, place: str) -> str:
    """The secret again. Raises CannotUnseal."""
    if not sealed:
        return ""
    try:
        _, key_id, text = sealed.split(":")
        raw = base64.urlsafe_b64decode(text)
        cipher = _ciphers()[key_id]
        return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], place.encode()).decode()
    except (ValueError, KeyError, InvalidTag) as error:
        raise CannotUnseal(f"{place}: sealed by an unknown key, or altered") from error


def is_current(sealed: Sealed) -> bool:
    """Whether the newest key sealed it."""
    return not sealed or sealed.startswith(newest_prefix())


def newest_prefix() -> Sealed:
    """How every secret begins that the newest key sealed."""
    return Sealed(f"v1:{next(iter(_ciphers()))}:")


def is_key(text: str) -> bool:
    """Whether a secret can be sealed with it: 16, 24 or 32 bytes in base64."""
    try:
        _opened((text,))
    except ValueError:
        return False
    return True


def _ciphers() -> dict[str, AESGCM]:
    """By key id, newest first."""
    return _opened(tuple(settings.FIELD_ENCRYPTION_KEYS))


@lru_cache(maxsize=4)
def _opened(keys: tuple[str, ...]) -> dict[str, AESGCM]:
    raw = [base64.urlsafe_b64decode(key.translate(_URL_SAFE)) for key in keys]
    return {hashlib.sha256(key).hexdigest()[:8]: AESGCM(key) for key in raw}
