"""`python -m benchmarks.peer_projects NAME URL COUNT` queues so many deliveries in the project of that name."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    _, name, url, count = sys.argv
    import_module(f"benchmarks.peer_projects.{name}").fill(url, int(count))
