"""Answering in a conversation: what a person types in the portal is sent as the app sends."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django import forms

from conversations.models import Candidate, Conversation, Message
from conversations.reaching import backlog, routing, sending
from projects.models import ProcessingMode

LONGEST: Final = 4096  # characters; what a channel carries less of, its adapter cuts or passes on


class AnswerForm(forms.Form):
    """The next words of the app."""

    text = forms.CharField(
        label="Text",
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write something first."},
    )

    def __init__(self, conversation: Conversation, data: Any = None) -> None:
        super().__init__(data, prefix="answer")
        self.conversation = conversation
        self._choices = routing.route(
            app=conversation.app, contact=conversation.contact, given=(), own_order=()
        )

    @property
    def first(self) -> routing.Choice | None:
        """The channel that is tried first; None: no channel can be tried."""
        waiting = (one for one in self._choices if one.verdict == Candidate.Verdict.WAITING)
        return next(waiting, None)

    @property
    def obstacle(self) -> str:
        """Why nobody can answer, in words; empty where somebody can."""
        return "" if self.first else routing.no_route_reason(self._choices).description

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError where the app has to wait."""
        if self.obstacle:
            raise forms.ValidationError(self.obstacle)
        if backlog.is_full(self.conversation.app):
            raise forms.ValidationError("Too many messages of this app wait for their channels.")
        return self.cleaned_data

    def send(self, *, now: datetime) -> Message:
        """Send it; where the conversation was stopped meanwhile, a new one begins."""
        return sending.send(
            app=self.conversation.app,
            recipient=sending.Recipient(contact=self.conversation.contact),
            draft=sending.Draft(content={"text_message": {"text": self.cleaned_data["text"]}}),
            now=now,
        )


def may_be_answered(conversation: Conversation) -> bool:
    """Whether there is somebody to write to, and an app that keeps conversations."""
    app = conversation.app
    return (
        conversation.contact_id is not None
        and app.deleted_at is None
        and app.processing_mode == ProcessingMode.CONVERSATION
    )
