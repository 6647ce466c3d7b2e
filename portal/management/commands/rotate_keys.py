"""Secrets at rest under the newest key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from projects import rotating
from projects.sealing import CannotUnseal


class Command(BaseCommand):
    """Run it after putting a new key in front of FIELD_ENCRYPTION_KEYS; then the old one may go."""

    help = "Re-encrypts secrets at rest under the newest key of FIELD_ENCRYPTION_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate, and say how much."""
        try:
            rows = rotating.rotate()
        except CannotUnseal as error:
            raise CommandError(f"{error}. Keep the key that sealed it in FIELD_ENCRYPTION_KEYS.") from error
        self.stdout.write(f"Re-encrypted the secrets of {rows} rows. All are under the newest key now.")
