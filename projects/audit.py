"""Who changed the configuration, from where: the context that pghistory's triggers store with each change."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pghistory
from django.http import HttpRequest, HttpResponse


def by_key(request: Any) -> AbstractContextManager[Any]:
    """Changes made by an API key. An official client's own name is kept with it."""
    return pghistory.context(
        via="API", key=request.auth.key_id, address=request.META.get("REMOTE_ADDR", ""),
        client=request.headers.get("User-Agent", "")[:200],
    )  # fmt: skip


class AuditMiddleware:
    """Changes made by a person in the portal."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in ("GET", "HEAD", "OPTIONS") or not request.user.is_authenticated:
            return self.get_response(request)
        with pghistory.context(
            via="PORTAL", user=request.user.pk, username=request.user.get_username(),
            address=request.META.get("REMOTE_ADDR", ""), path=request.path,
        ):  # fmt: skip
            return self.get_response(request)
