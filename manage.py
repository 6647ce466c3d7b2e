"""Django's command line, with the embedded PostgreSQL and Redis at hand where none are set."""

import os
import sys

from django.core.management import execute_from_command_line

from portal.running import starting


def main() -> None:
    """Run one command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        with starting.prepared(sys.argv[1:]):
            execute_from_command_line(sys.argv)
    except starting.CannotStart as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell says it: ended by Ctrl-C


if __name__ == "__main__":
    main()
