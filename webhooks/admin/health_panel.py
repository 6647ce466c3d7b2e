"""The panel on a webhook's page that says how it is doing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from projects import clock
from webhooks.models import TargetType, Webhook
from webhooks.tending import charting, health
from webhooks.tending.charting import Hour
from webhooks.tending.health import State

WORDS: Final = {
    State.DISABLED: ("Switched off", "bad"),
    State.PAUSED: ("Resting", "busy"),
    State.FAILING: ("Failing", "bad"),
    State.NEW: ("Never tried", "quiet"),
    State.HEALTHY: ("Healthy", "good"),
}
WIDTH: Final = 14  # of an hour in the drawing, with the gap behind it
HEIGHT: Final = 48


@dataclass(frozen=True, slots=True)
class Bar:
    """An hour as it is drawn: what failed stands on what was delivered."""

    hour: Hour
    x: int
    delivered: int  # its height
    failed: int

    @property
    def top(self) -> int:
        """Where what failed begins."""
        return HEIGHT - self.delivered - self.failed

    @property
    def middle(self) -> int:
        """Where what was delivered begins."""
        return HEIGHT - self.delivered


def standing(webhook: Webhook, state: State) -> tuple[str, str]:
    """How it is doing in a word, and the tone of that; one that dismisses is never tried."""
    if webhook.target_type == TargetType.DISMISS and state != State.DISABLED:
        return "Dismissing", "quiet"
    return WORDS[state]


def panel(webhook: Webhook) -> dict[str, Any]:
    """What the page shows of it."""
    known = health.of([webhook])[webhook.id]
    hours = charting.hours(webhook, now=clock.now())
    return {
        "health": known,
        "bars": bars(hours),
        "tries": sum(hour.delivered + hour.failed for hour in hours),
        "width": WIDTH * len(hours),
        "height": HEIGHT,
    }


def bars(hours: Sequence[Hour]) -> list[Bar]:
    """As high as the busiest hour allows; what is there is never invisible."""
    busiest = max((hour.delivered + hour.failed for hour in hours), default=0) or 1
    return [
        Bar(
            hour,
            x=WIDTH * place,
            delivered=_height(hour.delivered, busiest),
            failed=_height(hour.failed, busiest),
        )
        for place, hour in enumerate(hours)
    ]


def _height(number: int, busiest: int) -> int:
    return max(2, round((HEIGHT - 4) * number / busiest)) if number else 0
