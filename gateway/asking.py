"""One question to a provider, from code that waits for the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from operator import attrgetter

from django.conf import settings

from gateway.addresses import default_guard
from gateway.http import Client, Request, Response

Send = Callable[[Request], Awaitable[Response]]


def ask(request: Request, *, by: Callable[[Client], Send] = attrgetter("send")) -> Response:
    """The answer, or a response whose `error` says why there is none. Not within an event loop.

    `by` gives another way of sending with the client, such as one that fetches a token first.
    """
    if request.answer is not None:
        return request.answer

    async def answered() -> Response:
        async with Client(guard=default_guard(), proxy=settings.EGRESS_PROXY) as client:
            return await by(client)(request)

    return asyncio.run(answered())
