"""The channels' door: `/callbacks/{channel}/{credential id}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from conversations.hearing import receiving
from gateway.channels import NoAdapter, adapter
from gateway.channels.abilities import AnswersCallbacks
from gateway.channels.base import Channel
from projects import clock, ids
from projects.models import ChannelCredential
from projects.requests import rates
from projects.requests.wire import BodyTooLarge, read_body


@csrf_exempt  # a provider has no cookie; its signature is checked instead
def callback(request: HttpRequest, channel: str, credential_id: str) -> HttpResponse:
    """Take in a provider's callback, in the request: 200 once it is kept, so that else the provider comes again."""
    if request.method != "POST":
        return _refusal(501, "UNIMPLEMENTED", "A callback is posted.")
    if not ids.is_ulid(credential_id):
        return _refusal(404, "NOT_FOUND", "There is no such credential.")
    living = ChannelCredential.objects.select_related("app").filter(
        app__deleted_at=None, channel=channel.upper()
    )
    credential = living.filter(pk=credential_id).first()
    if credential is None:
        return _refusal(404, "NOT_FOUND", "There is no such credential.")
    if not rates.admits(f"inbound:{credential.app_id}", limit=credential.app.inbound_rate):
        return _refusal(
            429,
            "RESOURCE_EXHAUSTED",
            f"The app takes {credential.app.inbound_rate} callbacks a second.",
            wait=1,
        )
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        body = read_body(request, request.META)
        receiving.receive_callback(
            credential, headers=headers, body=body, url=request.build_absolute_uri(), now=clock.now()
        )
    except BodyTooLarge as refusal:
        return _refusal(413, "RESOURCE_EXHAUSTED", str(refusal))
    except NoAdapter as refusal:
        return _refusal(404, "NOT_FOUND", str(refusal))
    except receiving.NotTheirs as refusal:
        return _refusal(401, "UNAUTHENTICATED", str(refusal))
    except receiving.NotACallback as refusal:
        return _refusal(400, "INVALID_ARGUMENT", str(refusal))
    return JsonResponse(_answer(credential, body))


def _answer(credential: ChannelCredential, body: bytes) -> Mapping[str, Any]:
    serving = adapter(Channel(credential.channel))
    return serving.callback_answer(body) if isinstance(serving, AnswersCallbacks) else {}


def _refusal(code: int, status: str, message: str, *, wait: int = 0) -> HttpResponse:
    envelope = {"code": code, "message": message, "status": status, "details": []}
    headers = {"retry-after": str(wait)} if wait else {}  # seconds
    return JsonResponse({"error": envelope}, status=code, headers=headers)
