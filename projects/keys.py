"""Access keys and the tokens made from them."""

import functools
import hashlib
import hmac
import secrets
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.core import signing
from django.db import transaction

from projects import ids
from projects.models import AccessKey, Project

_SALT = "projects.keys.token"
_FRESH_SECONDS = 30.0  # how long a revoked key may still work


class InvalidKey(Exception):
    """No live key has this id and secret."""


class InvalidToken(Exception):
    """Not a token of ours, or its key was revoked. The caller authenticates anew."""


class TokenExpired(InvalidToken):
    """It was one of ours. The caller fetches a new one and repeats the request."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls the API: a key, and the project it opens."""

    key_id: str
    project_id: str
    secret_hash: bytes = field(repr=False)

    is_authenticated = True


def issue(*, project: Project, name: str = "") -> tuple[AccessKey, str]:
    """A new key and its secret, which nobody can read again."""
    secret = secrets.token_urlsafe(32)
    key = AccessKey.objects.create(project=project, name=name, secret_hash=_hashed(secret))
    return key, secret


def identify(key_id: str, secret: str) -> Principal:
    """Who has this key. Raises InvalidKey."""
    principal = _live.get(key_id)
    if principal is None or not hmac.compare_digest(principal.secret_hash, _hashed(secret)):
        raise InvalidKey
    return principal


def token(principal: Principal) -> str:
    """A bearer token for the key, good for `TOKEN_LIFETIME_SECONDS`."""
    return signing.dumps(principal.key_id, salt=_SALT)


def recognise(bearer: str) -> Principal:
    """Whose token it is. Raises TokenExpired, or InvalidToken."""
    try:
        key_id = signing.loads(bearer, salt=_SALT, max_age=settings.TOKEN_LIFETIME_SECONDS)
    except signing.SignatureExpired as error:
        raise TokenExpired from error
    except signing.BadSignature as error:
        raise InvalidToken from error
    principal = _live.get(key_id)
    if principal is None:
        raise InvalidToken
    return principal


def revoke(key: AccessKey, *, now: datetime) -> None:
    """Close it for good: here at once, in other processes within half a minute."""
    key.revoked_at = now
    key.save(update_fields=["revoked_at"])
    transaction.on_commit(functools.partial(_live.drop, key.pk))


def _hashed(secret: str) -> bytes:
    # A random secret of 256 bits needs no slow hash.
    return hashlib.sha256(secret.encode()).digest()


class _LiveKeys:
    """Keys that were live at most `_FRESH_SECONDS` ago, so that a warm request asks no database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Principal]] = {}

    def get(self, key_id: str) -> Principal | None:
        with self._lock:
            known = self._known.get(key_id)
        if known and time.monotonic() - known[0] < _FRESH_SECONDS:
            return known[1]
        self.drop(key_id)
        if not ids.is_ulid(key_id):
            return None
        key = AccessKey.objects.filter(pk=key_id, revoked_at=None).first()
        if key is None:
            return None
        principal = Principal(key.id, str(key.project_id), bytes(key.secret_hash))
        with self._lock:
            self._known[key_id] = (time.monotonic(), principal)
        return principal

    def drop(self, key_id: str) -> None:
        with self._lock:
            self._known.pop(key_id, None)


_live = _LiveKeys()
