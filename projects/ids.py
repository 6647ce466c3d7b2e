"""Public ids: ULIDs, time-ordered, 26 characters outside and 16 bytes inside."""

import os
import re
import threading
import time
import uuid
from datetime import datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base 32
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]  # of 10 bits each
_DIGITS = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")  # those that Python reads
_in_turn = threading.Lock()
_last = 0
_SHAPE = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}\Z")


def ulid() -> str:
    """A new id: 48 bits of Unix milliseconds, 80 random bits; always above the last that this process made."""
    global _last  # noqa: PLW0603 - ids of one process follow one another
    made = time.time_ns() // 1_000_000 << 80 | int.from_bytes(os.urandom(10))
    with _in_turn:
        # Within one millisecond chance would decide the order: go on from the last instead.
        _last = made if made >> 80 > _last >> 80 else _last + 1 + int.from_bytes(os.urandom(4))
        return _text(_last)


def first_of(moment: datetime) -> str:
    """No id that was made at this moment or later is below it."""
    return _text(int(moment.timestamp() * 1000) << 80)


def is_ulid(text: str) -> bool:
    """Whether the text is one of our ids as we write them."""
    return _SHAPE.match(text) is not None


def to_uuid(text: str) -> uuid.UUID:
    """The same 128 bits, as PostgreSQL stores them. Raises ValueError for what is no ULID."""
    if not is_ulid(text):
        raise ValueError(f"not a ULID: {text!r}")
    return uuid.UUID(int=int(text.translate(_DIGITS), 32))


def from_uuid(value: uuid.UUID) -> str:
    """The 26 characters of stored 128 bits."""
    return _text(value.int)


def _text(number: int) -> str:
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])
