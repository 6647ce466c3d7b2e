"""Messages over the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework.exceptions import Throttled, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from conversations import deleting, idempotency, payloads, reading, visibility
from conversations.api import bodies
from conversations.api.bodies import MessageFilter, SendRequest, Source, View, draft
from conversations.api.recipients import Parties, parties
from conversations.composing import templates, templating
from conversations.composing.templating import Known
from conversations.idempotency import Sent
from conversations.models import Direction, Message
from conversations.reaching import backlog, sending, statuses
from conversations.visibility import Within
from gateway import channels
from gateway.channels.base import Channel
from projects import clock, ids
from projects.requests.paging import Page
from projects.requests.scoping import ProjectView, found
from projects.requests.wire import FailedPrecondition, timestamp


class SendMessage(ProjectView):
    """POST /messages:send."""

    def post(self, request: Request, project_id: str) -> Response:
        """Accept a message: checked, stored, routed and queued; under an Idempotency-Key only once."""
        body = SendRequest.read(request.data)
        who = parties(self.project_id, app_id=body["app_id"], recipient=body["recipient"])
        key = request.headers.get("Idempotency-Key")
        sent = self._send(who, body) if key is None else self._send_once(key, who, body)
        return Response({"message_id": sent.message_id, "accepted_time": timestamp(sent.accept_time)})

    def _send(self, who: Parties, body: dict[str, Any]) -> Sent:
        if backlog.is_full(who.app):
            raise Throttled(1, f"{backlog.LIMIT} messages of this app wait for their channels.")
        wanted = draft(body)
        whom = who.recipient(body["recipient"], mode=wanted.mode(who.app))
        message = sending.send(app=who.app, recipient=whom, draft=wanted, now=who.now)
        return Sent(message.id, message.accept_time)

    def _send_once(self, key: str, who: Parties, body: dict[str, Any]) -> Sent:
        if not key.isprintable() or not 1 <= len(key) <= idempotency.LONGEST_KEY:
            raise ValidationError(
                {"Idempotency-Key": [f"must be 1 to {idempotency.LONGEST_KEY} printable characters"]}
            )
        given = self.request.data
        try:
            return idempotency.once(
                key, app=who.app, body=given, send=lambda: self._send(who, body), now=who.now
            )
        except idempotency.KeyIsTaken:
            raise FailedPrecondition("This Idempotency-Key was used for another message.") from None


class Messages(ProjectView):
    """GET /messages."""

    def get(self, request: Request, project_id: str) -> Response:
        """The project's messages, newest first."""
        asked = MessageFilter.read_query(request.query_params)
        page = Page.of(request, largest=1000)
        rows, token = reading.page(self.project_id, asked["messages_source"].mode, _filters(asked), page)
        return _page_of(rows, token, asked["view"])


class OneMessage(ProjectView):
    """GET /messages/{message_id}."""

    def get(self, request: Request, project_id: str, message_id: str) -> Response:
        """The stored message."""
        asked = MessageFilter.read_query(request.query_params)
        message = self.message(message_id, asked["messages_source"])
        return Response(payloads.message(message, contact_id=statuses.contact_of(message)))

    def patch(self, request: Request, project_id: str, message_id: str) -> Response:
        """Change its metadata: nothing else of a message changes."""
        asked = MessageFilter.read_query(request.query_params)
        message = self.message(message_id, asked["messages_source"])
        message.metadata = bodies.MessageChange.read(request.data)["metadata"]
        message.save(update_fields=["metadata"])
        return Response(payloads.message(message, contact_id=statuses.contact_of(message)))

    def delete(self, request: Request, project_id: str, message_id: str) -> Response:
        """Delete it, and all that was written about it."""
        asked = MessageFilter.read_query(request.query_params)
        message = self.message(message_id, asked["messages_source"])
        deleting.delete_message(message, by_key=self.principal.key_id, now=clock.now())
        return Response()

    def message(self, message_id: str, source: Source) -> Message:
        """One of this project, in this store. Raises NotFound."""
        within = Within(Message, message_id)
        return found(visibility.messages(self.project_id, source.mode, within=within), message_id)


class LastMessages(ProjectView):
    """`/messages:fetch-last-message`."""

    def post(self, request: Request, project_id: str) -> Response:
        """The newest message of each person, newest first."""
        asked = bodies.LastMessages.read(request.data)
        messages = reading.matching(self.project_id, asked["messages_source"].mode, _filters(asked))
        newest = [
            messages.filter(**{lookup: value}).order_by("-accept_time", "-id").values("pk")[:1]
            for lookup, values in _people(asked).items()
            for value in values
        ]
        last = newest[0].union(*newest[1:], all=True) if newest else []
        rows = Message.objects.filter(pk__in=[row["pk"] for row in last])
        page = Page.asked(request.data, largest=1000, place=request.path)
        return _page_of(*page.cut(reading.told(rows), by=reading.NEWEST_FIRST), asked["view"])


class TranscodeMessage(ProjectView):
    """`/messages:transcode`."""

    def post(self, request: Request, project_id: str) -> Response:
        """What would become of a message on each of the channels; nothing is sent."""
        asked = bodies.Transcoding.read(request.data)
        self.app(asked["app_id"])
        content, wanted = asked["app_message"], asked["channels"]
        known = templates.of_channels(content, wanted, project_id=self.project_id)
        shown = {channel: _transcoded(content, channel, known.get(channel)) for channel in wanted}
        return Response({"transcoded_message": shown})


def _transcoded(content: Mapping[str, Any], channel: Channel, template: Known | None) -> str:
    """What the channel would get; empty where it could get nothing."""
    try:
        return channels.transcoded(channel, templating.filled(content, channel, template))
    except templating.Unfilled:
        return ""


def _people(asked: dict[str, Any]) -> dict[str, list[str]]:
    """Whose messages, by the look-up that finds them; no id of ours finds nothing."""
    return {
        "identity": [_bare(identity) for identity in asked.get("channel_identities", ())],
        "conversation__contact": [id_ for id_ in asked.get("contact_ids", ()) if ids.is_ulid(id_)],
    }


def _page_of(rows: Sequence[Any], token: str, view: View) -> Response:
    shown = [payloads.message(row, contact_id=row.conversation__contact_id or "") for row in rows]
    if view == View.WITHOUT_METADATA:
        shown = [message | {"metadata": ""} for message in shown]
    return Response({"messages": shown, "next_page_token": token})


def _bare(identity: str) -> str:
    """An identity as a client may write it in a filter: with a plus, or with the blank that a raw plus becomes."""
    return identity.strip().lstrip("+").strip()


def _filters(asked: dict[str, Any]) -> dict[str, Any]:
    """What is asked for, as look-ups."""
    wanted = {
        "conversation": asked.get("conversation_id"),
        "conversation__contact": asked.get("contact_id"),
        "app": asked.get("app_id"),
        "accept_time__gte": asked.get("start_time"),
        "accept_time__lt": asked.get("end_time"),
        "channel": asked.get("channel"),
        "direction": Direction.TO_APP if asked.get("only_recipient_originated") else asked.get("direction"),
        "identity": _bare(asked.get("channel_identity", "")),
    }
    return {lookup: value for lookup, value in wanted.items() if value}
