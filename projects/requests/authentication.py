"""Who calls the API: an access key, by Basic or by a bearer token made from it."""

from __future__ import annotations

import base64
from typing import Any, cast

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from projects import keys
from projects.keys import Principal
from projects.requests import rates

# The official clients renew their token when, and only when, this header says "expired".
EXPIRED_CHALLENGE = 'Bearer error="invalid_token", error_description="token expired"'
_WRONG = "The key id or the key secret is wrong."
_LONGEST_KEY_ID = 26


class AccessKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>` or `Basic <key id:key secret>`."""

    def authenticate(self, request: Request) -> tuple[Principal, Principal] | None:
        """The key, or None when the request carries none. Raises AuthenticationFailed."""
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        match scheme.lower():
            case "bearer":
                principal = self._from_token(credentials.strip())
            case "basic":
                principal = from_basic(credentials)
            case _:
                return None
        return principal, principal

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401; it must not say "expired"."""
        return 'Bearer realm="api"'

    def _from_token(self, token: str) -> Principal:
        try:
            return keys.recognise(token)
        except keys.TokenExpired as error:
            failure = AuthenticationFailed("The access token has expired.")
            failure.challenge = EXPIRED_CHALLENGE  # type: ignore[attr-defined]  # read by the error envelope
            raise failure from error
        except keys.InvalidToken as error:
            raise AuthenticationFailed("The access token is not valid.") from error


def from_basic(credentials: str) -> Principal:
    """The key that `base64(key id:key secret)` names. Raises AuthenticationFailed, or Throttled who guesses.

    The right secret is let in always: nobody can lock out a key's owner by guessing.
    """
    try:
        key_id, _, secret = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
        return keys.identify(key_id, secret)
    except ValueError as error:  # no base64, or no text in it
        raise AuthenticationFailed(_WRONG) from error
    except keys.InvalidKey as error:
        if rates.is_guessing(key_id[:_LONGEST_KEY_ID]):
            raise Throttled(rates.GUESSING_SECONDS, "Too many wrong secrets for this key id.") from error
        raise AuthenticationFailed(_WRONG) from error


class HasProjectAccess(BasePermission):
    """The key opens the project that the path names."""

    message = "This key does not open this project."

    def has_permission(self, request: Request, view: Any) -> bool:
        """A token of one project on another's path is refused, whether the other exists or not."""
        principal = cast("Principal | None", request.auth)
        return principal is not None and principal.project_id == view.kwargs["project_id"].lower()
