"""The web's entry: `granian --interface wsgi portal.wsgi:application`."""

import os
import signal

from django.core.wsgi import get_wsgi_application

from portal import lifetime

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

if os.environ.get("RUNS_UNDER_UP"):
    # A web worker whose master was killed would keep the port.
    lifetime.die_with_parent(signal.SIGKILL)

application = get_wsgi_application()
