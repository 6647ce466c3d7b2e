"""The token endpoint: where an access key becomes a bearer token."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.http import QueryDict
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from projects import keys
from projects.requests import rates
from projects.requests.authentication import from_basic
from projects.requests.wire import FormParser

_GRANT_TYPE = "client_credentials"


class TokenView(APIView):
    """`POST /oauth2/token`: RFC 6749, 4.4. Its refusals have that standard's shape, not the API's."""

    authentication_classes = ()
    permission_classes = ()
    parser_classes = [FormParser]
    http_method_names = ["post"]

    def post(self, request: Request) -> Response:
        """A token for the key that the Basic header names."""
        grant_type = cast("QueryDict", request.data).get("grant_type", "")
        if not grant_type:
            return _refused(400, "invalid_request", "The form has no grant_type.")
        if grant_type != _GRANT_TYPE:
            return _refused(400, "unsupported_grant_type", f"Only {_GRANT_TYPE} is supported.")
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return _refused(401, "invalid_client", "Name the key in a Basic Authorization header.")
        try:
            principal = from_basic(credentials)
        except AuthenticationFailed as error:
            return _refused(401, "invalid_client", str(error.detail))
        except Throttled as error:
            return _refused(429, "slow_down", str(error.detail), wait=rates.GUESSING_SECONDS)
        if not rates.admits(f"project:{principal.project_id}", limit=settings.API_RATE_LIMIT):
            return _refused(429, "slow_down", "This project makes too many requests.", wait=1)
        answer = {
            "access_token": keys.token(principal),
            "expires_in": settings.TOKEN_LIFETIME_SECONDS,
            "scope": "",
            "token_type": "bearer",
        }
        return Response(answer, headers={"cache-control": "no-store"})


def _refused(status: int, code: str, description: str, *, wait: int = 0) -> Response:
    headers = {"cache-control": "no-store"}
    if wait:
        headers["retry-after"] = str(wait)  # seconds
    if status == 401:
        headers["www-authenticate"] = 'Basic realm="token"'  # must not say "expired"
    return Response({"error": code, "error_description": description}, status=status, headers=headers)
