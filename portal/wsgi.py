"""The web's entry: `granian --interface wsgi portal.wsgi:application`."""

import os
import signal
from collections.abc import Iterable
from io import BytesIO
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from portal import lifetime

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

if os.environ.get("RUNS_UNDER_UP"):
    # A web worker whose master was killed would keep the port.
    lifetime.die_with_parent(signal.SIGKILL)


def measured(application: WSGIApplication) -> WSGIApplication:
    """The application for clients that send in chunks too: Django reads no more than was announced, so nothing."""

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if "CONTENT_LENGTH" not in environ:
            body = environ["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
            environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return application(environ, start_response)

    return answer


application = measured(get_wsgi_application())
