"""Masking: what a receiver sends back to us is kept without the secrets that we share with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Final
from urllib.parse import quote, quote_plus

from gateway.http import Response

MASK: Final = b"****"
SHORTEST: Final = 4  # characters; to mask less would spoil the text and protect nothing


def masked(response: Response, secrets: tuple[str, ...]) -> Response:
    """The response with these secrets struck out of all it shows, as they are and as JSON and forms spell them.

    A cookie opens a session of the receiver's: its value is struck out whatever it is.
    """
    if "set-cookie" in response.headers:
        response = replace(response, headers={**response.headers, "set-cookie": MASK.decode()})
    shown = "\n".join((*response.headers.values(), response.body.decode("latin-1")))
    if not _beginnings(secrets).search(shown):
        return response  # as nearly always
    spellings = _spellings_of(secrets)
    body = response.body
    for spelling in spellings if body else []:
        body = _without_its_beginning(body.replace(spelling, MASK), spelling)
    headers = {name: _struck_out(value, spellings) for name, value in response.headers.items()}
    return replace(response, body=body, headers=headers)


@lru_cache(maxsize=4096)  # the same few secrets all day
def _beginnings(secrets: tuple[str, ...]) -> re.Pattern[str]:
    """Matches where one of them, in whatever spelling, may begin; never where there are none."""
    texts = {text[:SHORTEST] for spelling in _spellings_of(secrets) for text in _texts(spelling)}
    return re.compile("|".join(map(re.escape, texts)) or "(?!)")


def _spellings_of(secrets: tuple[str, ...]) -> list[bytes]:
    return [one for secret in secrets if len(secret) >= SHORTEST for one in _spellings(secret)]


def _struck_out(value: str, spellings: Iterable[bytes]) -> str:
    for spelling in spellings:
        for text in _texts(spelling):
            value = value.replace(text, MASK.decode())
    return value


@lru_cache(maxsize=4096)  # the same few secrets all day
def _texts(spelling: bytes) -> frozenset[str]:
    """Headers are read as Latin 1, and hold that or UTF-8."""
    return frozenset({spelling.decode(), spelling.decode("latin-1")})


@lru_cache(maxsize=4096)  # the same few secrets all day
def _spellings(secret: str) -> frozenset[bytes]:
    in_json = (json.dumps(secret, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False))
    return frozenset(text.encode() for text in (secret, *in_json, quote(secret, safe=""), quote_plus(secret)))


def _without_its_beginning(body: bytes, spelling: bytes) -> bytes:
    """The body was cut somewhere: maybe within the secret."""
    if spelling[:SHORTEST] not in body[-len(spelling) :]:
        return body
    for length in range(min(len(spelling), len(body)), SHORTEST - 1, -1):
        if body.endswith(spelling[:length]):
            return body[:-length] + MASK
    return body
