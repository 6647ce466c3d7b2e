"""What the pages say of a delivery, in words and tones."""

from __future__ import annotations

from typing import Final

from webhooks.models import Attempt, Replay

RESULT_TONES: Final = {
    Attempt.Result.DELIVERED: "good",
    Attempt.Result.RETRYING: "busy",
    Attempt.Result.GIVEN_UP: "bad",
    Attempt.Result.DISMISSED: "quiet",
}
STATE_TONES: Final = {
    Replay.State.RUNNING: "busy",
    Replay.State.FINISHED: "good",
    Replay.State.CANCELLED: "quiet",
}


def result_word(result: str) -> str:
    """“Given up”."""
    return result.replace("_", " ").capitalize()
