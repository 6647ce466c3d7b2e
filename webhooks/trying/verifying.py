"""Verifying: whether signature headers fit a body, and if not, which part is to blame."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from gateway import signing

ALGORITHM: Final = "HmacSHA256"
MAC_BYTES: Final = 32
MOMENT: Final = re.compile(r"[0-9]{1,18}")  # Unix seconds
PRESENT: Final = "It fits the body, the id or nonce, the timestamp and the present secret."
FORMER: Final = "It fits, with a former secret that still signs: make the present one known to the receiver."
NEITHER: Final = (
    "It does not fit: the secret is another one, or the body, the id or nonce, or the timestamp was changed."
)

Fits = Callable[[bytes, str], bool]  # the signature, this body and this secret


@dataclass(frozen=True, slots=True)
class Finding:
    """What one family of headers comes to."""

    family: str
    is_valid: bool
    said: str  # to a person


def parsed(text: str) -> dict[str, str]:
    """Headers out of pasted lines, as a log or curl prints them; names in lower case."""
    lines = (line.strip().lstrip("<>").partition(":") for line in text.splitlines())
    return {name.strip().lower(): value.strip() for name, colon, value in lines if colon and name.strip()}


def check(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> Sequence[Finding]:
    """One finding for each family whose signature is there; `secrets` has the present one first.

    It never tells a secret.
    """
    given = {name.lower(): value for name, value in headers.items()}
    return list(_findings(given, body, secrets))


def _findings(given: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> Iterator[Finding]:
    if any(name.startswith(signing.SIGNATURE) for name in given):
        fault = _contract_fault(given)
        yield _finding(
            signing.SIGNATURE, fault, lambda b, secret: signing.is_valid(given, b, secret), body, secrets
        )
    if signing.STANDARD_SIGNATURE in given:
        fault = _standard_fault(given)
        yield _finding(
            signing.STANDARD_SIGNATURE,
            fault,
            lambda b, secret: _fits_standard(given, b, secret),
            body,
            secrets,
        )


def _finding(family: str, fault: str, fits: Fits, body: bytes, secrets: Sequence[str]) -> Finding:
    if fault:
        return Finding(family, is_valid=False, said=fault)
    for number, secret in enumerate(secrets):
        if fits(body, secret):
            return Finding(family, is_valid=True, said=FORMER if number else PRESENT)
    for change, variant in _variants(body):
        if any(fits(variant, secret) for secret in secrets):
            said = f"The body is not the one that was signed, which {change}. Check the bytes as they came."
            return Finding(family, is_valid=False, said=said)
    return Finding(family, is_valid=False, said=NEITHER)


def _contract_fault(given: Mapping[str, str]) -> str:
    """What keeps the headers of the contract from being checked; empty when nothing does."""
    if missing := _missing(given, signing.SIGNATURE, signing.NONCE, signing.TIMESTAMP):
        return missing
    if given.get(signing.ALGORITHM, ALGORITHM) != ALGORITHM:
        return f"The algorithm must be {ALGORITHM}."
    if not MOMENT.fullmatch(given[signing.TIMESTAMP]):
        return "The timestamp is no number of Unix seconds."
    if not _is_mac(given[signing.SIGNATURE]):
        return "The signature is no base64 of 32 bytes: part of it is missing, or it is another header's."
    return ""


def _standard_fault(given: Mapping[str, str]) -> str:
    """The same of Standard Webhooks."""
    if missing := _missing(
        given, signing.STANDARD_ID, signing.STANDARD_TIMESTAMP, signing.STANDARD_SIGNATURE
    ):
        return missing
    if not MOMENT.fullmatch(given[signing.STANDARD_TIMESTAMP]):
        return "The timestamp is no number of Unix seconds."
    signatures = [part.removeprefix("v1,") for part in given[signing.STANDARD_SIGNATURE].split()]
    if not any(_is_mac(signature) for signature in signatures):
        return "There is no signature “v1,” with the base64 of 32 bytes."
    return ""


def _fits_standard(given: Mapping[str, str], body: bytes, secret: str) -> bool:
    made = signing.standard_headers(
        body,
        [secret],
        message_id=given[signing.STANDARD_ID],
        timestamp=int(given[signing.STANDARD_TIMESTAMP]),
    )
    wanted = made[signing.STANDARD_SIGNATURE].encode()
    return any(hmac.compare_digest(wanted, one.encode()) for one in given[signing.STANDARD_SIGNATURE].split())


def _missing(given: Mapping[str, str], *names: str) -> str:
    absent = [name for name in names if not given.get(name)]
    return f"Missing: {', '.join(absent)}." if absent else ""


def _is_mac(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == MAC_BYTES
    except (binascii.Error, ValueError):
        return False


def _variants(body: bytes) -> Iterator[tuple[str, bytes]]:
    """What commonly happens to a body between the wire and the check, undone."""
    yield "had no white space around it", body.strip()
    try:
        yield "was compact JSON", signing.encode(orjson.loads(body))
    except (orjson.JSONDecodeError, TypeError):
        return
