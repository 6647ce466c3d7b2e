"""What a batch of the purge deletes: one window of what is due, single rows or whole conversations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Exists, OuterRef, QuerySet

from conversations import conversing, deleting
from conversations.deleting import Gone
from conversations.models import Conversation, ConversationEvent, Message
from outbox import statements
from projects import ids
from projects.models import App
from retention.deleting import windows
from retention.deleting.sweeping import Sweep, Swept
from retention.deleting.windows import Window
from retention.due import Due
from retention.proving.ledger import Deletion
from webhooks.models import Webhook
from webhooks.triggers import Trigger

MICROSECOND: Final = timedelta(microseconds=1)
# What somebody is told of is on the disk first.
_BE_SURE: Final = "SELECT set_config('synchronous_commit', 'on', true)"
ROWS_IN_A_CONVERSATION: Final = 5  # as many as are reckoned with, for how many are locked at once


@dataclass(frozen=True, slots=True)
class Take:
    """One window, to be deleted in the caller's transaction, or what else is to be done where it was swept.

    Rows that somebody else has locked are skipped; a patient one waits for them, and costs half as much.
    """

    sweep: Sweep
    window: Window
    swept: Swept | None
    app: App
    target: int
    is_patient: bool
    floor: str = ""  # the transaction since which what is older than the window was seen to be gone

    @property
    def rows(self) -> Due:
        """Of which it is a part."""
        return self.sweep.part

    def all(self, *, at: datetime) -> tuple[Deletion, datetime]:
        """Delete it; and the age that was reached."""
        messages = conversations = events = Gone()
        held = self._held()
        if self.rows.takes_conversations:
            messages, conversations, events, reached = self._conversations(at)
        else:
            gone = self._single_rows(held)
            messages, events = (Gone(), gone) if self.rows.takes_events else (gone, Gone())
            reached = self._reached(gone)
        return Deletion(
            messages=messages,
            conversations=conversations,
            events=events,
            cutoff=self.rows.cutoff,
            since=self.window.since,
            until=self.window.until,
            held=held,
        ), reached

    def _held(self) -> int:
        if self.swept:
            return self.swept.held
        return 0 if self.rows.held is None else self._inside(self.rows.held).count()

    def _single_rows(self, held: int) -> Gone:
        if self.swept:
            return self._what_was_swept(self.swept.ids, held)
        if self.rows.takes_events:
            return deleting.delete_events(self._cut())
        return self._messages()

    def _what_was_swept(self, ids_: bytes, held: int) -> Gone:
        # What is dispatched is of the time of all that is written now.
        is_most = not (self.rows.is_dispatched or held > self.target)
        app, last = ids.to_uuid(self.app.pk), self.window.until - MICROSECOND
        gone = deleting.with_satellites(ids_, app, self.window.since, last, is_most)
        if gone and not (self.rows.takes_events or self.rows.is_dispatched):
            self._renew()
        return gone

    def _renew(self) -> None:
        """Conversations stay, and learn which message is now their newest."""
        if not (self.floor and self.sweep.forget_newest(self.window, self.floor)):
            deleting.renew_newest(self._newest_inside())

    def _newest_inside(self) -> QuerySet[Conversation]:
        """Those whose newest message is in the window: a younger one stays, an older one has gone before."""
        return Conversation.objects.filter(
            app=self.app,
            newest_accept_time__isnull=False,
            expiry_anchor__gte=self.window.since,
            expiry_anchor__lt=self.window.until,
        )

    def _inside(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return self.window.of(rows, self.rows.age)

    def _cut(self, *, without: set[str] | None = None) -> QuerySet[Any]:
        """Of a crowd the oldest."""
        inside = self._inside(self.rows.rows)
        if without:
            inside = inside.exclude(conversation__in=without)
        return inside.order_by(self.rows.age, "pk")[: self.target] if self.window.is_crowded else inside

    def _reached(self, gone: Gone) -> datetime:
        """Of a crowd's last moment more may be left; but what could not be had is for another run."""
        return self.window.until - MICROSECOND if self.window.is_crowded and gone else self.window.until

    def _messages(self) -> Gone:
        """Single messages, but those of conversations that others have locked."""
        if self.rows.is_dispatched:
            return deleting.delete_messages(self._cut())
        # What comes into one of ours meanwhile waits for us, and counts; those that others have keep all.
        conversations = self._newest_inside()
        others = _locked_by_others(conversations)
        gone = deleting.delete_messages(self._cut(without=others))
        if gone:
            deleting.renew_newest(conversations.exclude(pk__in=others))
        return gone

    def _conversations(self, at: datetime) -> tuple[Gone, Gone, Gone, datetime]:
        """Whole ones. One with many messages or events goes in several batches, the oldest first."""
        most = max(self.target // ROWS_IN_A_CONVERSATION, 1)
        free = self._inside(self.rows.rows).order_by("expiry_anchor", "pk")
        conversations = list(free.select_for_update(skip_locked=True, of=("self",))[:most])
        if not conversations:
            return Gone(), Gone(), Gone(), self.window.until
        messages = deleting.delete_messages(*self._of(conversations, Message))
        events = deleting.delete_events(*self._of(conversations, ConversationEvent))
        unfinished = _those_not_empty(conversations)
        empty = [conversation for conversation in conversations if conversation.pk not in unfinished]
        _tell(empty, self.app, at=at)
        gone = deleting.delete_conversations(empty)
        if not (messages or events or gone):  # others have their messages
            return messages, gone, events, self.window.until
        anchors = [row.expiry_anchor for row in conversations if row.pk in unfinished]
        if len(conversations) == most:
            anchors.append(conversations[-1].expiry_anchor)
        return messages, gone, events, min(anchors, default=self.window.until)

    def _of(self, conversations: Sequence[Conversation], model: type[Any]) -> tuple[QuerySet[Any], bool]:
        """What is to go of their messages or events; and whether it may be waited for."""
        rows = model.objects.filter(conversation__in=[row.pk for row in conversations])
        most = windows.STOP * self.target
        if rows.values("pk")[: most + 1].count() <= most:
            return rows, self.is_patient
        return rows.order_by("conversation", "accept_time")[: self.target], False


def _locked_by_others(conversations: QuerySet[Conversation]) -> set[str]:
    """The rest is ours from now on."""
    ours = conversations.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)
    return set(conversations.values_list("pk", flat=True)).difference(ours)


def _those_not_empty(conversations: Sequence[Conversation]) -> set[str]:
    inside = Exists(Message.objects.filter(conversation=OuterRef("pk"))) | Exists(
        ConversationEvent.objects.filter(conversation=OuterRef("pk"))
    )
    left = Conversation.objects.filter(inside, pk__in=[conversation.pk for conversation in conversations])
    return set(left.values_list("pk", flat=True))


def _tell(conversations: Sequence[Conversation], app: App, *, at: datetime) -> None:
    """CONVERSATION_DELETE for each, if the app wants it and anybody listens; a deleted app is told nothing."""
    if app.deleted_at or not app.announces_expiry:
        return
    if not Webhook.objects.listening(app, Trigger.CONVERSATION_DELETE).exists():
        return
    statements.run(_BE_SURE, ())
    for conversation in conversations:
        conversing.tell_deleted(conversation, now=at)
