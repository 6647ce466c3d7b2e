"""`make bench`: every benchmark, each in a process of its own, and a table of their figures at the end.

A benchmark is a module here with `figures(postgres, full)`, which yields them as they are measured. ONLY=name
runs one of them; SCALE=full the sizes that are stated, instead of those that fit into an hour on two cores.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Final

from benchmarks import servers
from benchmarks.figures import Entry, table
from portal.environment import DATA_DIR

BENCHMARKS: Final[dict[str, str]] = {
    "outbox_throughput": "what one dispatcher delivers, beside bare loops that only send",
    "outbox_isolation": "whom a hanging receiver holds up, and what a dispatcher costs at rest",
    "outbox_backlog": "a receiver that is down with a long queue, and how it comes back",
    "outbox_memory": "whether a dispatcher grows",
    "outbox_faults": "what is lost and repeated when dispatchers and servers die",
    "outbox_order": "whether what is to arrive in order does, in spite of failures and kills",
    "outbox_snapshot": "what a transaction that stays open does to the queue",
    "api": "sending and the lists, beside hand-written views and DRF as it comes",
    "webhook_publishing": "what telling webhooks adds to what happened",
    "webhook_peers": "deliveries, beside packages that a Django project would take",
    "webhook_replay": "a long replay, and what is live beside it",
    "webhook_partitions": "forgetting a day of attempts, beside deleting its rows",
    "retention": "the purge beside one big DELETE, and beside others who write",
    "retention_preview": "what a policy would delete, counted for who waits at the panel",
    "retention_plateau": "whether the tables grow while as much comes as goes",
}  # by name, what it measures


def main() -> int:
    """Run what was asked for; 1 if a benchmark broke, missed goals are no fault of the run."""
    if len(sys.argv) == 3:
        _run(sys.argv[1], Path(sys.argv[2]))
        return 0
    names = [name] if (name := os.environ.get("ONLY")) else list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        print(f"ONLY is {unknown.pop()!r}: set it to one of {', '.join(BENCHMARKS)}.")
        return 1
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        outcomes = [_run_apart(name, Path(folder) / name) for name in names]
    entries = [entry for outcome in outcomes for entry in outcome or []]
    print("\n" + table(entries))
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    (DATA_DIR / "bench.json").write_text(json.dumps(entries, ensure_ascii=False, indent=1) + "\n")
    return 1 if None in outcomes else 0


def _run_apart(name: str, results: Path) -> list[Entry] | None:
    """The figures, from a process that ends with its benchmark; None if it broke."""
    print(f"\n=== {name}: {BENCHMARKS[name]}", flush=True)
    began_at = time.monotonic()
    ended = subprocess.run([sys.executable, "-m", "benchmarks", name, str(results)], check=False)
    print(f"  {name} took {time.monotonic() - began_at:.0f} s", flush=True)
    if ended.returncode != 0:
        return None
    entries: list[Entry] = json.loads(results.read_text())
    return entries


def _run(name: str, results: Path) -> None:
    with servers.running() as postgres:
        benchmark = import_module(f"benchmarks.{name}")
        entries: list[Entry] = []
        for figure in benchmark.figures(postgres, full=os.environ.get("SCALE") == "full"):
            entries.append(figure.as_entry())
            print(table(entries[-1:]).splitlines()[-1], flush=True)
    results.write_text(json.dumps(entries))


if __name__ == "__main__":
    sys.exit(main())
