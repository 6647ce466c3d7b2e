"""Authorising: requests carry the access token that their receiver asks for, by OAuth 2 client credentials."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import time
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

import orjson
from django.conf import settings

from gateway.http import Client, Request, Response
from webhooks.delivering.masking import masked
from webhooks.delivering.receivers import USER_AGENT, ClientCredentials
from webhooks.models import TokenRequestType

REFUSED = 401
TOKEN_FAILURE = "token"  # noqa: S105 - the class of error in the log of attempts
LONGEST_LIFE = 3600.0  # seconds: wire contract 5.6
MARGIN = 10.0  # seconds before its end from which a token is not used any more
LONGEST_ANSWER = 64 * 1024  # bytes; a token may be a long one
VISIBLE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Token:
    """What lets this server in at a receiver."""

    text: str = field(repr=False)
    ends_at: float  # by time.monotonic()


class Authoriser:
    """Sends the requests of one dispatcher.

    It keeps its tokens to itself: a lane is in the hands of one dispatcher at a time, so that to share them
    would save little and put secrets where none are.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._tokens: dict[ClientCredentials, Token] = {}
        self._fetches: dict[ClientCredentials, asyncio.Task[Token | Response]] = {}

    async def send(self, request: Request) -> Response:
        """As the client does; a token that is refused is replaced once.

        Without a token nothing is sent: the response's error is then "token", its detail says why.
        """
        credentials: ClientCredentials | None = request.tag.credentials
        if credentials is None:
            return await self._client.send(request)
        token = await self._token(credentials)
        response = await self._send(request, token)
        if response.status != REFUSED:
            return response
        return await self._send(request, await self._token(credentials, instead_of=token))

    async def _send(self, request: Request, token: Token | Response) -> Response:
        if isinstance(token, Response):
            return token
        headers = {**request.headers, "Authorization": f"Bearer {token.text}"}
        response = await self._client.send(replace(request, headers=headers))
        return masked(
            response, (token.text,)
        )  # some receivers show what they were sent, and answers are kept

    async def _token(
        self, credentials: ClientCredentials, *, instead_of: Token | Response | None = None
    ) -> Token | Response:
        """One that still lasts, or else a new one; whoever needs it meanwhile waits for the same answer."""
        kept = self._tokens.get(credentials)
        if kept and kept is not instead_of and time.monotonic() < kept.ends_at:
            return kept
        if credentials not in self._fetches:
            fetch = asyncio.create_task(self._fetch(credentials))
            fetch.add_done_callback(lambda _: self._fetches.pop(credentials))
            self._fetches[credentials] = fetch
        # One who is interrupted leaves the others their answer.
        return await asyncio.shield(self._fetches[credentials])

    async def _fetch(self, credentials: ClientCredentials) -> Token | Response:
        asked_at = time.monotonic()
        answer = await self._client.send(_token_request(credentials))
        token = _read(answer, asked_at=asked_at)
        if token is None:
            return _failed(answer)
        lasting = {owner: kept for owner, kept in self._tokens.items() if kept.ends_at > asked_at}
        self._tokens = lasting | {credentials: token}
        return token


def _token_request(credentials: ClientCredentials) -> Request:
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "User-Agent": USER_AGENT,
    }
    form = {
        "grant_type": "client_credentials",
        "scope": credentials.scope,
        "response_type": credentials.response_type,
    }
    if credentials.request_type == TokenRequestType.BASIC:
        pair = f"{credentials.client_id}:{credentials.client_secret}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form |= {"client_id": credentials.client_id, "client_secret": credentials.client_secret}
    return Request(
        "POST",
        credentials.endpoint,
        headers=headers,
        body=urlencode({name: value for name, value in form.items() if value}).encode(),
        timeout=settings.WEBHOOK_TIMEOUT,
        max_body=LONGEST_ANSWER,
    )


def _read(answer: Response, *, asked_at: float) -> Token | None:
    """The token in an answer; None when there is none that a header can carry."""
    if not answer.is_success:
        return None
    try:
        document = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
    match document:
        case {"access_token": str(text), "expires_in": int() | float() | str() as life} if VISIBLE.fullmatch(
            text
        ):
            with contextlib.suppress(ValueError):  # some servers write the number as text
                return Token(text, ends_at=asked_at + min(LONGEST_LIFE, float(life)) - MARGIN)
    return None


def _failed(answer: Response) -> Response:
    """The answer of a token endpoint as the failure of a delivery; nothing of its body is kept."""
    if answer.error:
        detail = f"{answer.error}: {answer.detail}"
    elif answer.is_success:
        detail = "the answer holds no access_token and expires_in that can be used"
    else:
        detail = f"HTTP {answer.status}"
    return replace(
        answer, status=0, headers={}, body=b"", error=TOKEN_FAILURE, detail=f"token endpoint: {detail}"
    )
