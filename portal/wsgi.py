"""The web's entry: `granian --interface wsgi portal.wsgi:application`."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any, Final
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

_PART: Final = 65_536  # bytes of an unread body that are read at once …
_MOST_PARTS: Final = 1024  # … and how often, before the connection is cut after all
# Nobody knows whether the end of a body that is too large ever comes: of a process's threads one may wait for it.
_waits_for_end = threading.Lock()

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


class HeardOut:
    """An answer after which the rest of the request's body is read: unread, it makes the server cut the connection.

    Who is refused early, for an expired token perhaps, is still sending, and goes on with the same connection.
    """

    def __init__(self, answer: Any, body: Any, *, is_too_large: bool) -> None:
        self._answer = answer
        self._body = body
        self._is_too_large = is_too_large

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        """Read on; the server calls this when the client has its answer."""
        self._answer.close()
        if not self._is_too_large:
            self._read_on()
        elif _waits_for_end.acquire(blocking=False):
            try:
                self._read_on()
            finally:
                _waits_for_end.release()

    def _read_on(self) -> None:
        for _ in range(_MOST_PARTS):
            if not self._body.read(_PART):
                return


def heard_out(application: WSGIApplication) -> WSGIApplication:
    """The application for clients that keep their connection, whatever they are told."""

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"]
        answered = application(environ, start_response)
        announced = int(environ.get("CONTENT_LENGTH") or 0)
        if not announced:
            return answered
        return HeardOut(answered, body, is_too_large=announced > settings.DATA_UPLOAD_MAX_MEMORY_SIZE)

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


application = Gate(heard_out(measured(_django)))
