"""What every request passes: its id, its length, its security policy, and for pages the portal's own middleware."""

import ipaddress
import secrets
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.module_loading import import_string

from portal import logs

GetResponse = Callable[[HttpRequest], HttpResponseBase]

_API = ("/v1/", "/v2/", "/oauth2/", "/callbacks/", "/healthz", "/readyz", "/metrics")
_API_POLICY = "default-src 'none'; frame-ancestors 'none'"
_PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def is_for_api(request: HttpRequest) -> bool:
    """Whether a program asks, not a browser: no session, cookie or page is involved."""
    return request.path_info.startswith(_API)


class ProxiesMiddleware:
    """Takes the caller's address from the proxies in front of us, where `TRUSTED_PROXIES` names them."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, with REMOTE_ADDR as the last proxy that is trusted saw it."""
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        # From the end: what stands before the first stranger is hearsay, which anybody may have written.
        while forwarded and _is_trusted(request.META.get("REMOTE_ADDR", "")):
            claimed = forwarded.pop().strip()
            if not _is_address(claimed):
                break
            request.META["REMOTE_ADDR"] = claimed
        return self._get_response(request)


def _is_trusted(address: str) -> bool:
    return _is_address(address) and any(
        ipaddress.ip_address(address) in network for network in settings.TRUSTED_PROXIES
    )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class RequestIdMiddleware:
    """Names the request in the logs and in its answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer under a fresh id."""
        token = logs.request_id.set(secrets.token_hex(8))
        try:
            response = self._get_response(request)
            response["X-Request-Id"] = logs.request_id.get()
            return response
        finally:
            logs.request_id.reset(token)


class LengthMiddleware:
    """Says how long an answer of the API is: a client that is still sending knows then that it has it all."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, measured."""
        response = self._get_response(request)
        if isinstance(response, HttpResponse) and is_for_api(request):
            response["Content-Length"] = str(len(response.content))
        return response


class SecurityPolicyMiddleware:
    """Tells browsers what a page may load: from here alone, nothing inline; an API answer nothing at all."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the policy."""
        response = self._get_response(request)
        response["Content-Security-Policy"] = _API_POLICY if is_for_api(request) else _PAGE_POLICY
        return response


class PortalOnlyMiddleware:
    """Runs `PORTAL_MIDDLEWARE` for pages; the API's requests go straight to their view.

    The chain is built once, as Django builds its own, each link turning exceptions into answers.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response
        self._portal: Any = get_response
        self._view_hooks: list[Any] = []
        for path in reversed(settings.PORTAL_MIDDLEWARE):
            middleware = import_string(path)(self._portal)
            if hasattr(middleware, "process_view"):
                self._view_hooks.insert(0, middleware.process_view)
            self._portal = convert_exception_to_response(middleware)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, by way of the portal's middleware or not."""
        if is_for_api(request):
            return self._get_response(request)
        response: HttpResponseBase = self._portal(request)
        return response

    def process_view(self, request: HttpRequest, view: Any, arguments: Any, keywords: Any) -> Any:
        """Let the portal's middleware see the view before it is called; the CSRF check lives there."""
        if is_for_api(request):
            return None
        for hook in self._view_hooks:
            if (response := hook(request, view, arguments, keywords)) is not None:
                return response
        return None
