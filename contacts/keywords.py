"""The words by which a person opts out of an app's messages, or in again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from contacts.models import ConsentList

_EVERY_LIST: Final = tuple(ConsentList)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for: to stand on these lists, or no longer."""

    opts_out: bool
    lists: Collection[ConsentList]


_NO_MORE: Final = Wish(True, (ConsentList.OPT_OUT_ALL,))
_AGAIN: Final = Wish(False, _EVERY_LIST)

# What the operators' rules for short codes ask for (CTIA, Messaging Principles), and one word for each other list.
WISHES: Final = {
    "STOP": _NO_MORE,
    "STOPALL": _NO_MORE,
    "UNSUBSCRIBE": _NO_MORE,
    "CANCEL": _NO_MORE,
    "END": _NO_MORE,
    "QUIT": _NO_MORE,
    "REVOKE": _NO_MORE,
    "OPTOUT": _NO_MORE,
    "STOP MARKETING": Wish(True, (ConsentList.OPT_OUT_MARKETING,)),
    "STOP NOTIFICATIONS": Wish(True, (ConsentList.OPT_OUT_NOTIFICATION,)),
    "START": _AGAIN,
    "UNSTOP": _AGAIN,
    "START MARKETING": Wish(False, (ConsentList.OPT_OUT_MARKETING,)),
    "START NOTIFICATIONS": Wish(False, (ConsentList.OPT_OUT_NOTIFICATION,)),
}


def wish_in(text: str) -> Wish | None:
    """The wish that the whole text is, in whatever case; a word within a sentence is none."""
    return WISHES.get(" ".join(text.split()).rstrip(" .!").upper())
