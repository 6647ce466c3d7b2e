"""The API's door to legal holds: our extension of the contract."""

from __future__ import annotations

from typing import Any, Final

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact
from conversations.models import Conversation
from projects import clock
from projects.models import Project
from projects.requests.inputs import Input, Moment, OneOf, Text
from projects.requests.paging import Page
from projects.requests.scoping import ProjectView, found
from projects.requests.wire import FailedPrecondition, timestamp
from retention import holding
from retention.holding import Unreleasable
from retention.models import HoldScope, LegalHold, LegalHoldQuerySet, LegalHoldRelease

LARGEST_PAGE: Final = 100
_NAMED_BY: Final = {
    HoldScope.APP: "app_id",
    HoldScope.CONTACT: "contact_id",
    HoldScope.CONVERSATION: "conversation_id",
}


class HoldFilter(Input):
    """Which holds."""

    active = serializers.BooleanField(required=False)  # arrives as text


class NewHoldBody(Input):
    """What is held, and for which matter."""

    scope = OneOf(HoldScope)
    app_id = Text(required=False)
    contact_id = Text(required=False)
    conversation_id = Text(required=False)
    start_time = Moment(required=False, source="accept_from")
    end_time = Moment(required=False, source="accept_until")
    matter = Text.of(LegalHold, "matter")
    text = Text.of(LegalHold, "text")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """With the id that the scope goes by, and no other: a hold must not cover less than somebody meant."""
        wanted = _NAMED_BY.get(attrs["scope"])
        for name in _NAMED_BY.values():
            is_given = bool(attrs.get(name))
            if is_given and name != wanted:
                raise ValidationError({name: [f"does not go with the scope {attrs['scope']}"]})
            if name == wanted and not is_given:
                raise ValidationError({name: ["is required"]})
        return attrs


class ReleaseBody(Input):
    """Why a hold may end."""

    text = Text.of(LegalHoldRelease, "text")


class HoldsOfProject(ProjectView):
    """Anything at `/legal-holds`."""

    def holds(self) -> LegalHoldQuerySet:
        """Those of this project, with their ends."""
        return LegalHold.objects.filter(project=self.project_id).select_related("release")


class LegalHolds(HoldsOfProject):
    """`/legal-holds`."""

    def get(self, request: Request, **_: Any) -> Response:
        """The newest first."""
        asked = HoldFilter.read_query(request.query_params)
        page = Page.of(request, largest=LARGEST_PAGE)
        holds = self.holds().filter(release__isnull=asked["active"]) if "active" in asked else self.holds()
        rows, token = page.cut(holds, by=("-id",))
        return Response({"legal_holds": [_hold(row) for row in rows], "next_page_token": token})

    def post(self, request: Request, **_: Any) -> Response:
        """Keep from now on what it covers."""
        body = NewHoldBody.read(request.data)
        hold = holding.place(
            project=Project.objects.get(pk=self.project_id),
            scope=body["scope"],
            matter=body["matter"],
            text=body["text"],
            accept_from=body.get("accept_from"),
            accept_until=body.get("accept_until"),
            by_key=self.principal.key_id,
            now=clock.now(),
            **self._covered(body),
        )
        return Response(_hold(hold))

    def _covered(self, body: dict[str, Any]) -> dict[str, Any]:
        """What the hold names, be it served or due already. Raises NotFound."""
        match body["scope"]:
            case HoldScope.APP:
                return {"app": self.app(body["app_id"])}
            case HoldScope.CONTACT:
                contacts = Contact.objects.filter(project=self.project_id)
                return {"contact_id": found(contacts, body["contact_id"]).pk}
            case HoldScope.CONVERSATION:
                conversations = Conversation.objects.filter(project=self.project_id)
                return {"conversation_id": found(conversations, body["conversation_id"]).pk}
        return {}


class OneLegalHold(HoldsOfProject):
    """`/legal-holds/{hold_id}`."""

    def get(self, _request: Request, hold_id: str, **_: Any) -> Response:
        """The hold, and its release if there was one."""
        return Response(_hold(found(self.holds(), hold_id)))


class ReleaseLegalHold(HoldsOfProject):
    """`/legal-holds/{hold_id}:release`."""

    def post(self, request: Request, hold_id: str, **_: Any) -> Response:
        """Let go what it kept; a key is nobody's eyes where the project demands four."""
        hold = found(self.holds(), hold_id)
        text = ReleaseBody.read(request.data)["text"]
        try:
            release = holding.release(hold, text=text, by_key=self.principal.key_id, now=clock.now())
        except Unreleasable as refusal:
            raise FailedPrecondition(refusal.message) from None
        return Response(_hold(release.hold))


def _hold(hold: LegalHold) -> dict[str, Any]:
    return {
        "id": hold.id,
        "scope": hold.scope,
        "app_id": hold.app_id or "",
        "contact_id": hold.contact_id or "",
        "conversation_id": hold.conversation_id or "",
        "start_time": hold.accept_from and timestamp(hold.accept_from),
        "end_time": hold.accept_until and timestamp(hold.accept_until),
        "matter": hold.matter,
        "text": hold.text,
        "create_time": timestamp(hold.placed_at),
        "placed_by_key": hold.placed_by_key or "",
        "active": hold.is_active,
        "release": None if hold.is_active else _release(hold.release),
    }


def _release(release: LegalHoldRelease) -> dict[str, Any]:
    return {
        "text": release.text,
        "release_time": timestamp(release.released_at),
        "released_by_key": release.released_by_key or "",
    }
