"""Rounds: contenders take turns in one run, so that what disturbs one disturbs them all."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import geometric_mean, median
from typing import Final

ROUNDS: Final = 5

Contender = Callable[[], float]  # one round of it; gives what is compared: requests a second, CPU seconds …


@dataclass(frozen=True, slots=True)
class Rounds:
    """What each contender did in each round."""

    by_contender: Mapping[str, list[float]]

    def ratio(self, one: str, *, to: str) -> float:
        """The median of the rounds' ratios: one figure of each round over the other's of the same round."""
        pairs = zip(self.by_contender[one], self.by_contender[to], strict=True)
        return median(mine / theirs for mine, theirs in pairs)

    def mean_ratio(self, one: str, *, to: str) -> float:
        """Their geometric mean, for a figure that leaps: no round is left out of it."""
        pairs = zip(self.by_contender[one], self.by_contender[to], strict=True)
        return geometric_mean(mine / theirs for mine, theirs in pairs)

    def median(self, one: str) -> float:
        """The contender's own median, for what has a goal of its own."""
        return median(self.by_contender[one])


def interleaved(contenders: Mapping[str, Contender], *, rounds: int = ROUNDS) -> Rounds:
    """Warm every contender up with a round that does not count, then let them take turns."""
    for contend in contenders.values():
        contend()
    results: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        # Every other round backwards: nobody always runs in the wake of the same neighbour.
        turn = list(contenders.items())[:: 1 if number % 2 else -1]
        for name, contend in turn:
            results[name].append(contend())
        said = ", ".join(f"{name} {results[name][-1]:.4g}" for name in contenders)
        print(f"  round {number + 1}/{rounds}: {said}", flush=True)
    return Rounds(results)


def seconds(work: Callable[[], object]) -> float:
    """How long it takes by the clock on the wall."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def own_cpu_seconds() -> float:
    """What this process has computed so far, in all its threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
