"""What the API is measured against, served by the very processes that serve the API.

Plain Django views of one hand-written statement each, which write the same rows or give the same bytes; and DRF as
its tutorial has it, a ModelViewSet with pages by offset. They check nothing and know nobody.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from rest_framework import pagination, renderers, routers, serializers, viewsets

from contacts.models import ChannelIdentity, Contact
from conversations.models import Message
from portal.urls import urlpatterns as api_urls
from projects import ids
from projects.requests import paging

# A message, its route and its conversation, MESSAGE_SUBMIT for a webhook, and the entries of both in the outbox.
SEND: Final = """
    WITH joined AS (
        UPDATE conversations_conversation
        SET newest_accept_time = greatest(newest_accept_time, %(now)s),
            newest_ever_accept_time = greatest(newest_ever_accept_time, %(now)s)
        WHERE app_id = %(app)s AND contact_id = %(contact)s AND stopped_at IS NULL
        RETURNING id, project_id
    ), whom AS (
        SELECT joined.id AS conversation_id, joined.project_id, known.channel, known.identity,
            credential.id AS credential_id, webhook.id AS webhook_id
        FROM joined
        JOIN contacts_channelidentity known ON known.contact_id = %(contact)s
        JOIN projects_channelcredential credential
            ON credential.app_id = %(app)s AND credential.channel = known.channel
        JOIN webhooks_webhook webhook ON webhook.app_id = %(app)s
    ), message AS (
        INSERT INTO conversations_message (
            id, project_id, app_id, conversation_id, direction, content, metadata, accept_time, processing_mode,
            injected, sender_id, channel, identity, credential_id, channel_message_id, correlation_id,
            callback_url, channel_properties, is_urgent, content_type, status, status_at, expires_at
        )
        SELECT %(message)s, project_id, %(app)s, conversation_id, 'TO_CONTACT', %(content)s, '', %(now)s,
            'CONVERSATION', false, '', channel, identity, credential_id, '', '',
            '', '{}', false, 'CONTENT_UNKNOWN', 'ACCEPTED', %(now)s, %(expires)s
        FROM whom
    ), candidate AS (
        INSERT INTO conversations_candidate (
            app_id, message_id, accept_time, position, level, channel, identity, credential_id, verdict,
            channel_message_id
        )
        SELECT %(app)s, %(message)s, %(now)s, 0, 'APP', channel, identity, credential_id, 'TRYING', '' FROM whom
    ), event AS (
        INSERT INTO webhooks_event (id, app_id, message_id, accept_time, trigger, body, callback_url)
        SELECT %(event)s, %(app)s, %(message)s, %(now)s, 'MESSAGE_SUBMIT', convert_to(json_build_object(
            'app_id', %(app)s, 'project_id', project_id, 'accepted_time', %(now)s, 'event_time', %(now)s,
            'message_metadata', '', 'correlation_id', '', 'message_submit_notification', json_build_object(
                'message_id', %(message)s, 'conversation_id', conversation_id,
                'channel_identity', json_build_object('channel', channel, 'identity', identity, 'app_id', ''),
                'contact_id', %(contact)s, 'submitted_message', %(content)s::json, 'metadata', '',
                'processing_mode', 'CONVERSATION'
            ))::text, 'UTF8'), ''
        FROM whom
    )
    INSERT INTO outbox_entry (lane_id, ref, priority, next_at, attempts, created_at)
    SELECT lane.id, CASE lane.kind WHEN 'message' THEN %(message)s ELSE %(event)s END, 1,
        statement_timestamp(), 0, statement_timestamp()
    FROM whom
    JOIN outbox_lane lane ON (lane.kind, lane.owner) IN (('message', credential_id), ('webhook', webhook_id))
"""

MESSAGES: Final = """
    SELECT message.id, message.direction, message.content, message.channel, message.identity,
        message.conversation_id, conversation.contact_id, message.metadata, message.accept_time,
        message.sender_id, message.processing_mode, message.injected, message.status, message.status_at,
        message.reason
    FROM conversations_message message
    JOIN conversations_conversation conversation ON conversation.id = message.conversation_id
    WHERE message.project_id = %s AND message.processing_mode = 'CONVERSATION'
        AND (message.accept_time, message.id) < (%s, %s)
    ORDER BY message.accept_time DESC, message.id DESC LIMIT %s
"""

CONTACTS: Final = """
    SELECT contact.id, contact.channel_priority, contact.display_name, contact.email, contact.external_id,
        contact.language, contact.metadata, (
            SELECT json_agg(json_build_object('channel', channel, 'identity', identity, 'app_id', '')
                ORDER BY position, id)
            FROM contacts_channelidentity WHERE contact_id = contact.id
        )
    FROM contacts_contact contact
    WHERE contact.project_id = %s AND contact.id > %s ORDER BY contact.id LIMIT %s
"""


def send(request: HttpRequest) -> HttpResponse:
    """POST: what `messages:send` writes, for a contact with one identity and an active conversation."""
    body, now = orjson.loads(request.body), datetime.now(UTC)
    message = ids.ulid()
    terms: dict[str, Any] = {
        "app": ids.to_uuid(body["app_id"]),
        "contact": ids.to_uuid(body["recipient"]["contact_id"]),
        "message": ids.to_uuid(message),
        "event": ids.to_uuid(ids.ulid()),
        "content": orjson.dumps(body["message"]).decode(),
        "now": now,
        "expires": now + timedelta(hours=48),
    }
    with connection.cursor() as cursor:
        cursor.execute(SEND, terms)
        if cursor.rowcount != 2:
            raise RuntimeError(
                f"{cursor.rowcount} entries instead of one for the channel and one for the webhook"
            )
    return _json({"message_id": message, "accepted_time": _time(now)})


def messages(request: HttpRequest, project_id: str) -> HttpResponse:
    """GET: what `messages` gives."""
    size = int(request.GET["page_size"])
    last = _key(request, "9999-12-31T00:00:00+00:00", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ")
    rows = _rows(MESSAGES, [project_id, last[0], ids.to_uuid(last[1]), size + 1])
    shown = [_message(row) for row in rows[:size]]
    key, place = [rows[size - 1][8], shown[-1]["id"]], f"/v1/projects/{project_id}/messages"
    next_page = paging.token(key, place=place) if len(rows) > size else ""
    return _json({"messages": shown, "next_page_token": next_page})


def contacts(request: HttpRequest, project_id: str) -> HttpResponse:
    """GET: what `contacts` gives."""
    size = int(request.GET["page_size"])
    last = _key(request, "0" * 26)
    rows = _rows(CONTACTS, [project_id, ids.to_uuid(last[0]), size + 1])
    shown = [_contact(row) for row in rows[:size]]
    key, place = [shown[-1]["id"]], f"/v1/projects/{project_id}/contacts"
    next_page = paging.token(key, place=place) if len(rows) > size else ""
    return _json({"contacts": shown, "next_page_token": next_page})


def _message(row: Any) -> dict[str, Any]:
    body = "app_message" if row[1] == "TO_CONTACT" else "contact_message"
    told = None
    if row[12]:
        reason = row[14] and orjson.loads(row[14])
        told = {"status": row[12], "event_time": _time(row[13]), "reason": reason}
    return {
        "id": ids.from_uuid(row[0]),
        "direction": row[1],
        body: orjson.loads(row[2]),
        "channel_identity": {"channel": row[3], "identity": row[4], "app_id": ""},
        "conversation_id": ids.from_uuid(row[5]),
        "contact_id": ids.from_uuid(row[6]),
        "metadata": row[7],
        "accept_time": _time(row[8]),
        "sender_id": row[9],
        "processing_mode": row[10],
        "injected": row[11],
        "message_status": told,
    }


def _contact(row: Any) -> dict[str, Any]:
    return {
        "id": ids.from_uuid(row[0]),
        "channel_identities": row[7],
        "channel_priority": row[1],
        "display_name": row[2] or "Unknown",
        "email": row[3],
        "external_id": row[4],
        "language": row[5],
        "metadata": row[6],
    }


def _rows(statement: str, terms: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, terms)
        rows: list[Any] = cursor.fetchall()
        return rows


def _key(request: HttpRequest, *first: str) -> Any:
    token = request.GET.get("page_token", "")
    return orjson.loads(base64.urlsafe_b64decode(token + "=="))[1:] if token else first


def _time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _json(data: Any) -> HttpResponse:
    return HttpResponse(orjson.dumps(data), content_type="application/json")


class ByOffset(pagination.PageNumberPagination):
    """`?page=1000`, with the number of all rows."""

    page_size_query_param = "page_size"


class MessageSerializer(serializers.ModelSerializer):
    """The columns that the API tells."""

    class Meta:
        model = Message
        fields = [
            *["id", "direction", "content", "channel", "identity", "conversation", "metadata", "accept_time"],
            *["sender_id", "processing_mode", "injected", "status", "status_at", "reason"],
        ]


class IdentitySerializer(serializers.ModelSerializer):
    """The columns that the API tells."""

    class Meta:
        model = ChannelIdentity
        fields = ["channel", "identity", "app"]


class ContactSerializer(serializers.ModelSerializer):
    """The columns that the API tells."""

    identities = IdentitySerializer(many=True, read_only=True)

    class Meta:
        model = Contact
        fields = [
            *["id", "identities", "channel_priority", "display_name", "email", "external_id", "language"],
            "metadata",
        ]


class ModelViewSet(viewsets.ModelViewSet):
    """For whoever asks, as DRF has it."""

    authentication_classes = ()
    permission_classes = ()
    renderer_classes = (renderers.JSONRenderer,)
    pagination_class = ByOffset

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(project=self.kwargs["project_id"])


class Messages(ModelViewSet):
    """Newest first."""

    queryset = Message.objects.order_by("-accept_time", "-id")
    serializer_class = MessageSerializer


class Contacts(ModelViewSet):
    """Oldest first."""

    queryset = Contact.objects.prefetch_related("identities").order_by("id")
    serializer_class = ContactSerializer


router = routers.SimpleRouter(trailing_slash=False)
router.register("messages", Messages)
router.register("contacts", Contacts)

# Below /v1/, where the middleware takes them for the API's own.
urlpatterns = [
    *api_urls,
    path("v1/plain/messages:send", send),
    path("v1/plain/<project_id>/messages", messages),
    path("v1/plain/<project_id>/contacts", contacts),
    path("v1/viewsets/<project_id>/", include(router.urls)),
]
