"""How many parts an SMS is split into, and in which alphabet it travels (3GPP TS 23.038 and 23.040)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")  # an escape and a second septet


@dataclass(frozen=True, slots=True)
class Segments:
    """An SMS as it travels; `units` are septets in GSM-7, 16-bit units in UCS-2."""

    encoding: str
    units: int
    parts: int


def count(text: str) -> Segments:
    """The parts that a text needs: one character outside GSM-7 turns all of it to UCS-2."""
    if BASIC.union(EXTENDED).issuperset(text):
        widths = [2 if character in EXTENDED else 1 for character in text]
        return Segments("GSM-7", sum(widths), _parts(widths, alone=160, joined=153))
    widths = [2 if ord(character) > 0xFFFF else 1 for character in text]
    return Segments("UCS-2", sum(widths), _parts(widths, alone=70, joined=67))


def _parts(widths: Iterable[int], *, alone: int, joined: int) -> int:
    """In parts that are joined no character is cut in two, so the last unit of a part may stay empty."""
    widths = list(widths)
    if sum(widths) <= alone:
        return 1
    parts, room = 1, joined
    for width in widths:
        if width > room:
            parts, room = parts + 1, joined
        room -= width
    return parts
