"""A new API key."""

import json
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from projects import keys
from projects.models import Project


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
        project = _project(options["project"])
        key, secret = keys.issue(project=project, name=options["name"])
        if options["json"]:
            facts = {"project_id": str(project.pk), "key_id": key.pk, "key_secret": secret}
            self.stdout.write(json.dumps(facts))
            return
        self.stdout.write(f"Key id      {key.pk}\nKey secret  {secret}\nThe secret is not shown again.")


def _project(text: str) -> Project:
    try:
        return Project.objects.get(pk=uuid.UUID(text))
    except (ValueError, Project.DoesNotExist):
        raise CommandError(f"There is no project with the id {text!r}.") from None
