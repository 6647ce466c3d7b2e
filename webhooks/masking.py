"""Masking: what a receiver sends back to us is kept without the secrets that we share with it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Final
from urllib.parse import quote, quote_plus

from gateway.http import Response

MASK: Final = b"****"
SHORTEST: Final = 4  # characters; to mask less would spoil the text and protect nothing


def masked(response: Response, secrets: Iterable[str]) -> Response:
    """The response with these secrets struck out of its body, as they are and as JSON and forms spell them."""
    body = response.body
    if not body:
        return response
    for secret in secrets:
        if len(secret) >= SHORTEST:
            for spelling in _spellings(secret):
                body = _without_its_beginning(body.replace(spelling, MASK), spelling)
    return replace(response, body=body)


def _spellings(secret: str) -> set[bytes]:
    in_json = (json.dumps(secret, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False))
    return {text.encode() for text in (secret, *in_json, quote(secret, safe=""), quote_plus(secret))}


def _without_its_beginning(body: bytes, spelling: bytes) -> bytes:
    """The body was cut somewhere: maybe within the secret."""
    for length in range(min(len(spelling), len(body)), SHORTEST - 1, -1):
        if body.endswith(spelling[:length]):
            return body[:-length] + MASK
    return body
