"""What every contender sends: the same bytes, signed in the same way."""

from __future__ import annotations

import secrets
import time
from typing import Final

from gateway import signing

SECRET: Final = "a secret that a receiver shares"  # noqa: S105 -- opens nothing


def body(mark: int) -> bytes:
    """About what a message that came in is told with."""
    message = {"direction": "TO_APP", "text": "Lorem ipsum dolor sit amet, " * 20}
    return signing.encode({"app_id": "0" * 26, "message": message, "mark": str(mark)})


def headers(content: bytes) -> dict[str, str]:
    """Those of a signed delivery."""
    nonce = secrets.token_urlsafe(16)
    signature = signing.headers(content, SECRET, nonce=nonce, timestamp=int(time.time()))
    return {"Content-Type": "application/json", "User-Agent": "conversation-api-webhooks/1", **signature}
