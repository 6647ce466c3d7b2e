"""Is the purge ledger as it was written?"""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from retention.tending import checking


class Command(BaseCommand):
    """Walks every chain and holds the anchors against them; status 1 if something was altered."""

    help = "Checks the purge ledger's chains and anchors, and names the first bad row."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """As docs/retention.md describes them."""
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify, and say what was found."""
        _, verdict = checking.check_now()
        faults = [{"where": fault.where, "what": fault.what} for fault in verdict.faults]
        seen = {"apps": verdict.apps, "rows": verdict.rows, "anchors": verdict.anchors}
        if options["json"]:
            self.stdout.write(json.dumps({"genuine": not faults, **seen, "faults": faults}))
        else:
            self.stdout.write("\n".join(str(fault) for fault in verdict.faults) or _all_is_well(**seen))
        if faults:
            sys.exit(1)


def _all_is_well(*, apps: int, rows: int, anchors: int) -> str:
    return f"The ledger is as it was written. Rows: {rows}, apps: {apps}, anchors: {anchors}."
