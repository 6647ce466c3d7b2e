"""What a benchmark gives: a measured figure beside its goal."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

Entry = dict[str, Any]  # of bench.json: name, size, measured, goal, met

_SENSES: Final[dict[str, Callable[[float, float], bool]]] = {"≥": operator.ge, "≤": operator.le}


@dataclass(frozen=True, slots=True)
class Goal:
    """At least, or at most, a figure; `unit` is empty for a ratio."""

    sense: str
    figure: float
    unit: str = ""

    def __post_init__(self) -> None:
        if self.sense not in _SENSES:
            raise ValueError(f"A goal is ≥ or ≤ a figure, not {self.sense}.")

    def __str__(self) -> str:
        return f"{self.sense} {self.figure:g} {self.unit}".rstrip()

    def is_met_by(self, measured: float) -> bool:
        """Whether the figure is on the right side, or on the line."""
        return _SENSES[self.sense](measured, self.figure)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: what was measured, over how much, and what it had to be."""

    name: str
    size: str  # what it was measured over: "20 000 events, 100 endpoints"
    measured: float
    goal: Goal

    @property
    def is_met(self) -> bool:
        """Whether the goal is reached."""
        return self.goal.is_met_by(self.measured)

    def as_entry(self) -> Entry:
        """What bench.json says of it."""
        return {
            "name": self.name,
            "size": self.size,
            "measured": self.measured,
            "goal": str(self.goal),
            "met": self.is_met,
        }


def table(entries: list[Entry]) -> str:
    """All of them for a person to read."""
    rows = [("figure", "over", "measured", "goal", "")]
    rows += [
        (
            entry["name"],
            entry["size"],
            f"{entry['measured']:.4g}",
            entry["goal"],
            "met" if entry["met"] else "MISSED",
        )
        for entry in entries
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
