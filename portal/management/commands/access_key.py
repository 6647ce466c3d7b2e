"""A new API key."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from portal.management import arguments
from projects import keys


class Command(BaseCommand):
    """The secret is shown once: only its hash is kept."""

    help = "Issues an API key for a project. The secret is shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose key, and how to answer."""
        parser.add_argument("--project", required=True, metavar="ID")
        parser.add_argument("--name", default="", help="what the key is for")
        parser.add_argument(
            "--json",
            action="store_true",
            help='print {"project_id", "key_id", "key_secret"} and nothing else',
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Issue it, and show it."""
        project = arguments.project(options["project"])
        key, secret = keys.issue(project=project, name=options["name"])
        if options["json"]:
            facts = {"project_id": str(project.pk), "key_id": key.pk, "key_secret": secret}
            self.stdout.write(json.dumps(facts))
            return
        self.stdout.write(f"Key id      {key.pk}\nKey secret  {secret}\nThe secret is not shown again.")
