"""The purge by hand, or a look at what it would do."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.management import arguments
from projects import clock
from retention import purging
from retention.purging import Purged


class Command(BaseCommand):
    """Runs the purge that the clock runs every ten minutes."""

    help = "Deletes what the apps' retention policies no longer keep, or shows what it would delete."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """As docs/retention.md describes them."""
        parser.add_argument("--app", metavar="ID", help="only this app")
        parser.add_argument("--now", metavar="ISO-8601", help="take this for the time, with its UTC offset")
        parser.add_argument(
            "--override", default="", metavar="WHY", help="delete although --now has not come"
        )
        parser.add_argument("--dry-run", action="store_true", help="delete nothing")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Purge, and say what went."""
        now = arguments.moment(options["now"]) if options["now"] is not None else clock.now()
        app = arguments.app(options["app"]) if options["app"] is not None else None
        try:
            purged = purging.run(now=now, app=app, override=options["override"], dry_run=options["dry_run"])
        except purging.AheadOfClock as error:
            raise CommandError(f"{error} Look with --dry-run, or delete with --override and why.") from error
        except purging.Refused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_as_json(purged) if options["json"] else _as_text(purged, options["dry_run"]))


def _as_json(purged: Purged) -> str:
    apps = {
        app_id: {"messages": count.messages, "conversations": count.conversations}
        for app_id, count in purged.apps.items()
    }
    return json.dumps({"messages": purged.messages, "conversations": purged.conversations, "apps": apps})


def _as_text(purged: Purged, dry_run: bool) -> str:
    verb = "Would delete" if dry_run else "Deleted"
    lines = [
        f"{app_id}: {count.messages} messages, {count.conversations} conversations"
        for app_id, count in purged.apps.items()
    ]
    return "\n".join([*lines, f"{verb} {purged.messages} messages and {purged.conversations} conversations."])
