"""How every refusal of the API looks: one envelope, always JSON, whoever refuses."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import IntegrityError, InterfaceError, OperationalError
from django.db.models import BaseConstraint
from django.http import Http404, HttpRequest, HttpResponse
from django.template import loader
from django.views import defaults
from rest_framework.exceptions import APIException, NotFound, ParseError, PermissionDenied, ValidationError
from rest_framework.response import Response
from rest_framework.views import set_rollback

from projects.requests.wire import BodyTooLarge, FailedPrecondition, JSONRenderer

logger = logging.getLogger(__name__)

# Wire contract, "Errors"; a body too large is what gRPC itself calls RESOURCE_EXHAUSTED.
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    413: "RESOURCE_EXHAUSTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}
# A wrong method on a known path: the contract has no 405, and asks for 501 where POST is missing (2.2).
_ANSWERED_AS = {405: 501}
_PORTAL = "/admin/"
_FOREIGN_KEY_VIOLATION = "23503"  # PostgreSQL, appendix A


class Unavailable(APIException):
    """The database cannot be asked just now. The client repeats the request later."""

    status_code = 503
    default_detail = "The service is not available at the moment."
    wait = 1  # seconds


class GoneMeanwhile(NotFound):
    """Another request deleted what this one names, just before it was done."""

    default_detail = "Something that this request names has just been deleted."


class Internal(APIException):
    """Our mistake: it is in the log, and nothing of it in the answer."""

    status_code = 500
    default_detail = "Internal error."


def envelope(error: Exception, context: Mapping[str, Any]) -> Response:
    """The answer to an exception that a view raised: DRF's exception handler."""
    set_rollback()
    refusal = _refusal(error)
    if refusal is not error and refusal.status_code >= 500:
        logger.error("%s failed", type(context["view"]).__name__, exc_info=error)
    return Response(body(refusal), status=_code(refusal), headers=_headers(refusal))


def body(refusal: APIException) -> dict[str, Any]:
    """The envelope of a refusal."""
    code = _code(refusal)
    status = "FAILED_PRECONDITION" if isinstance(refusal, FailedPrecondition) else _status(code)
    violations = list(_violations(refusal.detail)) if isinstance(refusal, ValidationError) else []
    message = "; ".join(f"{field}: {text}" if field else text for field, text in violations)
    return {
        "error": {
            "code": code,
            "message": message or str(refusal.detail),
            "status": status,
            "details": [_details(violations)] if violations else [],
        }
    }


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's answer to what it will not even route."""
    if _is_portal(request):
        return defaults.bad_request(request, exception)
    return _plain(_refusal(exception))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's answer to what is refused outside a view of the API."""
    if _is_portal(request):
        return defaults.permission_denied(request, exception)
    return _plain(PermissionDenied())


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's answer to an unknown path."""
    if _is_portal(request):
        return defaults.page_not_found(request, exception)
    return _plain(NotFound("There is nothing at this path."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's answer to an exception outside a view of the API; Django has logged it."""
    error = sys.exception()  # called while it is handled
    refusal = _refusal(error) if isinstance(error, OperationalError | InterfaceError) else Internal()
    if _is_portal(request):
        page = loader.render_to_string("500.html", {"is_away": isinstance(refusal, Unavailable)})
        return HttpResponse(page, status=_code(refusal), headers=_headers(refusal))
    return _plain(refusal)


def _refusal(error: Exception) -> APIException:
    """The exception as the API says it."""
    match error:
        case APIException():
            return error
        case ModelValidationError():
            return ValidationError(error.message_dict if hasattr(error, "error_dict") else error.messages)
        case RequestDataTooBig():
            return BodyTooLarge()
        case SuspiciousOperation():
            return ParseError("The request is malformed.")
        case Http404():
            return NotFound()
        case DjangoPermissionDenied():
            return PermissionDenied()
        case OperationalError() | InterfaceError():
            return Unavailable()
        case IntegrityError():
            return _of_constraint(error)
    return Internal()


def _of_constraint(error: IntegrityError) -> APIException:
    """Two requests at once: what the loser would have been told, had it come later."""
    diagnosis = getattr(error.__cause__, "diag", None)
    if diagnosis is None:
        return Internal()
    if diagnosis.sqlstate == _FOREIGN_KEY_VIOLATION:
        return GoneMeanwhile()
    violated = _constraints().get(diagnosis.constraint_name)
    if violated is None or violated.violation_error_message == BaseConstraint.default_violation_error_message:
        return Internal()
    return ValidationError([violated.get_violation_error_message()])


def _constraints() -> dict[str | None, BaseConstraint]:
    return {rule.name: rule for model in apps.get_models() for rule in model._meta.constraints}


def _violations(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every (`channel_credentials[0].static_bearer.token`, "must not be empty") in an error's detail."""
    match detail:
        case dict():
            for key, inner in detail.items():
                yield from _violations(inner, _below(path, key))
        case list():
            for index, inner in enumerate(detail):
                yield from _violations(inner, path if isinstance(inner, str) else f"{path}[{index}]")
        case _:
            yield path, str(detail)


def _details(violations: list[tuple[str, str]]) -> dict[str, Any]:
    described = [{"field": field, "description": text} for field, text in violations]
    return {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": described}


def _below(path: str, key: Any) -> str:
    if key in ("non_field_errors", "__all__", ""):
        return path
    return f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}".lstrip(".")


def _status(code: int) -> str:
    return STATUSES.get(code, STATUSES[400 if code < 500 else 500])


def _code(refusal: APIException) -> int:
    return _ANSWERED_AS.get(refusal.status_code, refusal.status_code)


def _headers(refusal: APIException) -> dict[str, str]:
    """Header names in lower case: one official client looks for `www-authenticate` letter by letter."""
    headers = {}
    challenge = getattr(refusal, "challenge", None) or getattr(refusal, "auth_header", None)
    if challenge:
        headers["www-authenticate"] = challenge
    if getattr(refusal, "wait", None) is not None:
        headers["retry-after"] = str(max(1, round(refusal.wait)))  # type: ignore[attr-defined]  # asked above
    return headers


def _plain(refusal: APIException) -> HttpResponse:
    return HttpResponse(
        JSONRenderer().render(body(refusal)),
        status=_code(refusal), headers=_headers(refusal), content_type=JSONRenderer.media_type,
    )  # fmt: skip


def _is_portal(request: HttpRequest) -> bool:
    return request.path.startswith(_PORTAL)
