"""After a restore: erase again whom the backup brought back."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from projects import clock
from retention.privacy import remembering, restoring


class Command(BaseCommand):
    """Run it on a restored database before the API opens; the web does it too, before its first answer."""

    help = "Erases again whoever was erased after the backup was made."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many, and of which some part is held."""
        record = len(list(remembering.written()))
        try:
            requests = restoring.reapply(now=clock.now())
        except restoring.StillHere as failure:
            raise CommandError(str(failure)) from failure
        self.stdout.write(
            f"{settings.ERASURE_RECORD} names {record} of those who were erased; {len(requests)} were erased again."
        )
        for request in requests:
            if request.held:
                self.stdout.write(f"A legal hold keeps a part of contact {request.contact_id}.")
