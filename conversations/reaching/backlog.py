"""The outbound queue: how many of an app's messages wait for their channel, and when no more are taken."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from django.db.models import Count

from conversations.reaching.statuses import SENDING
from outbox.models import Entry
from projects import ids
from projects.models import App, ChannelCredential

LIMIT: Final = 500_000  # messages of an app: wire contract, "Limits"
_FASTEST: Final = 5000  # messages a second that a queue may come to grow by


def waiting(credentials: Iterable[ChannelCredential]) -> dict[str, int]:
    """By credential id how many messages wait for their channel."""
    owners = [ids.to_uuid(credential.id) for credential in credentials]
    entries = Entry.objects.filter(lane__kind=SENDING, lane__owner__in=owners)
    counts = entries.values_list("lane__owner").annotate(number=Count("pk"))
    return {ids.from_uuid(owner): number for owner, number in counts}


def is_full(app: App) -> bool:
    """Whether the app has to wait before it sends more, as of a moment ago."""
    return _counts.of(app) >= LIMIT


class _Counts:
    """Counts of this process: the nearer one is to the limit, the sooner it is counted again."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, int]] = {}  # until when it may be believed, and the count

    def of(self, app: App) -> int:
        good_until, count = self._known.get(app.id, (0.0, 0))
        if time.monotonic() >= good_until:
            count = sum(waiting(app.credentials.all()).values())
            room = max(LIMIT - count, _FASTEST)
            self._known[app.id] = (time.monotonic() + room / _FASTEST, count)
        return count


_counts = _Counts()
