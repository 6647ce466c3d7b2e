"""The channels' door: `/callbacks/{channel}/{credential id}`."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from conversations import receiving
from gateway.channels import NoAdapter
from projects import clock, ids
from projects.models import ChannelCredential


@csrf_exempt  # a provider has no cookie; its signature is checked instead
@require_POST
def callback(request: HttpRequest, channel: str, credential_id: str) -> HttpResponse:
    """Take in a provider's callback, in the request: 200 once it is kept, so that else the provider comes again."""
    if not ids.is_ulid(credential_id):
        return _refusal(404, "There is no such credential.")
    living = ChannelCredential.objects.select_related("app").filter(
        app__deleted_at=None, channel=channel.upper()
    )
    credential = living.filter(pk=credential_id).first()
    if credential is None:
        return _refusal(404, "There is no such credential.")
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body = request.read(limit + 1)
    if len(body) > limit:
        return _refusal(413, "The body is over 1 MB.")
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        receiving.receive_callback(
            credential, headers=headers, body=body, url=request.build_absolute_uri(), now=clock.now()
        )
    except NoAdapter as refusal:
        return _refusal(404, str(refusal))
    except receiving.NotTheirs as refusal:
        return _refusal(401, str(refusal))
    except receiving.NotACallback as refusal:
        return _refusal(400, str(refusal))
    return JsonResponse({})


def _refusal(status: int, message: str) -> HttpResponse:
    return JsonResponse({"error": {"code": status, "message": message, "details": []}}, status=status)
