"""Signed bodies: the exact bytes of a callback, their signatures, and whether a signature is good.

Two families of headers stand side by side: the contract's own four, and the three of Standard Webhooks.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import functools
import hashlib
import hmac
import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson

SIGNATURE = "x-sinch-webhook-signature"
NONCE = "x-sinch-webhook-signature-nonce"
TIMESTAMP = "x-sinch-webhook-signature-timestamp"
ALGORITHM = "x-sinch-webhook-signature-algorithm"

# Standard Webhooks, version 1.
STANDARD_ID = "webhook-id"
STANDARD_TIMESTAMP = "webhook-timestamp"
STANDARD_SIGNATURE = "webhook-signature"
STANDARD_PREFIX = "whsec_"  # of secrets whose key is what follows, in base64

LARGEST_SAFE_INTEGER = 2**53 - 1  # beyond it JavaScript rounds
LARGEST_ARRAY_INDEX = 2**32 - 2  # keys that spell a number up to this one come first in JavaScript
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")


def sign(body: bytes, secret: str, *, nonce: str, timestamp: int) -> str:
    """The MAC of body, nonce and timestamp (Unix seconds) under the secret as entered, in base64."""
    return _mac(body, secret, nonce, str(timestamp))


def headers(body: bytes, secret: str, *, nonce: str, timestamp: int) -> dict[str, str]:
    """The four headers that go with a signed body."""
    return {
        SIGNATURE: sign(body, secret, nonce=nonce, timestamp=timestamp),
        NONCE: nonce,
        TIMESTAMP: str(timestamp),
        ALGORITHM: "HmacSHA256",  # spelt so: the Java client hands it to its crypto provider
    }


def standard_headers(
    body: bytes, secrets: Sequence[str], *, message_id: str, timestamp: int
) -> dict[str, str]:
    """Those of Standard Webhooks: one signature for each secret, in their order; without any, none at all."""
    headers = {STANDARD_ID: message_id, STANDARD_TIMESTAMP: str(timestamp)}
    if secrets:
        message = b".".join((message_id.encode(), str(timestamp).encode(), body))
        headers[STANDARD_SIGNATURE] = " ".join(_standard_signature(message, secret) for secret in secrets)
    return headers


def is_valid(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether these headers sign this body. Names in any case; the age of the timestamp is not judged."""
    given = {name.lower(): value for name, value in headers.items()}
    signature, nonce, timestamp = (given.get(name, "") for name in (SIGNATURE, NONCE, TIMESTAMP))
    return hmac.compare_digest(_mac(body, secret, nonce, timestamp).encode(), signature.encode())


def is_standard_valid(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether one signature of the Standard Webhooks headers is this secret's. The timestamp's age is not judged."""
    given = {name.lower(): value for name, value in headers.items()}
    message = b".".join(given.get(name, "").encode() for name in (STANDARD_ID, STANDARD_TIMESTAMP))
    expected = _standard_signature(message + b"." + body, secret)
    signatures = given.get(STANDARD_SIGNATURE, "").split()
    return any(hmac.compare_digest(expected.encode(), signature.encode()) for signature in signatures)


def encode(payload: Any) -> bytes:
    """The JSON bytes that JavaScript would make of this payload again after reading it.

    One official client checks the signature of what it serialised anew, so these bytes must come back
    unchanged. Raises TypeError for what is no JSON, lone surrogates included.
    """
    return orjson.dumps(_as_javascript(payload))


def _mac(body: bytes, secret: str, nonce: str, timestamp: str) -> str:
    message = b".".join((body, nonce.encode(), timestamp.encode()))
    return _digest(message, _begun(secret))


def _standard_signature(message: bytes, secret: str) -> str:
    return f"v1,{_digest(message, _standard_mac(secret))}"


# Under the same few secrets all day: each is digested once, and a copy goes on from there.
@functools.lru_cache(maxsize=4096)
def _begun(secret: str) -> hmac.HMAC:
    return hmac.new(secret.encode(), digestmod=hashlib.sha256)


@functools.lru_cache(maxsize=4096)
def _standard_mac(secret: str) -> hmac.HMAC:
    return hmac.new(_standard_key(secret), digestmod=hashlib.sha256)


def _standard_key(secret: str) -> bytes:
    """What stands behind the prefix; of a secret that somebody thought up, its bytes as entered."""
    if secret.startswith(STANDARD_PREFIX):
        encoded = secret.removeprefix(STANDARD_PREFIX).rstrip("=")
        with contextlib.suppress(ValueError):
            return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True) or secret.encode()
    return secret.encode()


def _digest(message: bytes, begun: hmac.HMAC) -> str:
    mac = begun.copy()
    mac.update(message)
    return binascii.b2a_base64(mac.digest(), newline=False).decode()


def _as_javascript(value: Any) -> Any:
    """The value with its numbers and its order of keys as JavaScript has them; orjson does the rest."""
    match value:
        case str() | bool() | None:
            return value
        case int() if abs(value) <= LARGEST_SAFE_INTEGER:
            return value
        case int() | float():
            return orjson.Fragment(_number(value))
        case dict():
            return {key: _as_javascript(value[key]) for key in _ordered(value)}
        case list() | tuple():
            return [_as_javascript(item) for item in value]
        case _:
            return value


def _ordered(keys: Mapping[str, Any]) -> list[str]:
    indices = sorted((key for key in keys if _is_index(key)), key=int)
    return [*indices, *(key for key in keys if not _is_index(key))] if indices else list(keys)


def _is_index(key: str) -> bool:
    return _INDEX.fullmatch(key) is not None and int(key) <= LARGEST_ARRAY_INDEX


def _number(value: float) -> str:
    """Number::toString of ECMA-262: the shortest digits, plain from 1e-6 up to below 1e21."""
    try:
        value = float(value)
    except OverflowError:
        return "null"  # Infinity to JavaScript, which JSON cannot say
    if not math.isfinite(value):
        return "null"
    if value == 0:
        return "0"
    sign, numerals, exponent = Decimal(repr(value)).normalize().as_tuple()
    digits = "".join(map(str, numerals))
    point = len(digits) + int(exponent)  # how many digits stand before the decimal point
    minus = "-" * sign
    if len(digits) <= point <= 21:
        return minus + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{minus}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{minus}{digits[0]}{fraction}e{point - 1:+d}"
