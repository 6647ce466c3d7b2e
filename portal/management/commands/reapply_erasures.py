"""After a restore: erase again whom the backup brought back."""

from typing import Any

from django.core.management.base import BaseCommand

from projects import clock
from retention.privacy import restoring


class Command(BaseCommand):
    """Run it on a restored database before the API opens; the web does it too, before its first answer."""

    help = "Erases again whoever was erased after the backup was made."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many, and of which some part is held."""
        requests = restoring.reapply(now=clock.now())
        self.stdout.write(f"{len(requests)} erasures were applied again.")
        for request in requests:
            if request.held:
                self.stdout.write(f"A legal hold keeps a part of contact {request.contact_id}.")
