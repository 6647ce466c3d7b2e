"""The web's entry: `granian --interface wsgi portal.wsgi:application`."""

import contextlib
import os
import signal
from collections.abc import Iterable
from io import BytesIO
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from portal.running import lifetime

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
_django = get_wsgi_application()

# What follows asks the models, which exist only now.
from projects import clock  # noqa: E402
from retention.privacy import restoring  # noqa: E402

if os.environ.get("RUNS_UNDER_UP"):
    # A web worker whose master was killed would keep the port.
    lifetime.die_with_parent(signal.SIGKILL)


def plan_once(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Have what the web asks again and again planned once for any terms: docs/decisions/0013-the-hot-paths.md."""
    with connection.cursor() as cursor:
        cursor.execute("SET plan_cache_mode = force_generic_plan")


connection_created.connect(plan_once)


def measured(application: WSGIApplication) -> WSGIApplication:
    """The application for clients that send in chunks too: Django reads no more than was announced, so nothing."""

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if "CONTENT_LENGTH" not in environ:
            body = environ["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
            environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return application(environ, start_response)

    return answer


class Gate:
    """Lets the first request wait until whom a restored backup brought back is erased again.

    Nobody is served before. While the database is away the application says so; the next request tries again.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._is_open = False

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer, once that is seen to."""
        if not self._is_open and environ.get("PATH_INFO") != "/healthz":
            with contextlib.suppress(DatabaseError):
                restoring.reapply(now=clock.now())
                self._is_open = True
        return self._application(environ, start_response)


application = Gate(measured(_django))
