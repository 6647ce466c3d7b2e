"""`manage.py demo`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal import demo
from portal.management import arguments
from projects import clock
from projects.models import Project


class Command(BaseCommand):
    """Fills the demo project with apps, contacts and conversations."""

    help = "Fills the demo project with apps, contacts and lively conversations on the SANDBOX channel."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", help="the id of another project to fill")

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill it, once."""
        project = arguments.project(options["project"]) if options["project"] else _demo_project()
        made = demo.fill(project, now=clock.now())
        if not made:
            self.stdout.write(f"{project.name} is filled already.")
            return
        self.stdout.write(f"{project.name} has {made} more apps, with people to talk to. Look under /admin/.")


def _demo_project() -> Project:
    project = Project.objects.filter(name="Demo").order_by("created_at").first()
    if project is None:
        raise CommandError("There is no demo project: `make run` makes one on an empty database.")
    return project
