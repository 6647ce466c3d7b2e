"""A new project, and an account for it."""

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from projects.models import Account, Project


class Command(BaseCommand):
    """Projects are made by whoever runs the installation, here or in the portal."""

    help = "Makes a project, in an account of the same name."

    def add_arguments(self, parser: CommandParser) -> None:
        """The name, and how to answer."""
        parser.add_argument("name")
        parser.add_argument("--json", action="store_true", help='print {"project_id": …} and nothing else')

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Make it, and say its id."""
        name = options["name"].strip()
        account = Account(name=name)
        try:
            account.clean_fields()
        except ValidationError as error:
            raise CommandError(f"This is no name for a project: {' '.join(error.messages)}") from error
        account.save()
        project = Project.objects.create(account=account, name=name)
        if options["json"]:
            self.stdout.write(json.dumps({"project_id": str(project.pk)}))
            return
        self.stdout.write(f"Made the project {name}: {project.pk}")
