"""Conversations that expire while people write into them: each message finds one, and none is lost."""

from __future__ import annotations

import functools
import random
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import Exists, Max, Min, OuterRef

from contacts.models import ChannelIdentity, Contact
from conversations.hearing import receiving
from conversations.models import Conversation, Message
from gateway.channels.base import Inbound
from projects import clock
from projects.models import App
from retention import purging
from retention.deleting import windows
from tests.factories import make_app
from tests.retention.privacy.test_racing import at_once
from tests.retention.worlds import CONVERSATIONS, rule

DAY = timedelta(days=1)
WRITERS = 3


def number_of(place: int) -> str:
    return f"4670{place:06d}10"


def fill(app: App, now: datetime, *, conversations: int) -> None:
    """So many contacts, each with a conversation of one message; all of them are due."""
    of: dict[str, Any] = {"project": app.project}
    contacts = Contact.objects.bulk_create(Contact(**of) for _ in range(conversations))
    ChannelIdentity.objects.bulk_create(
        ChannelIdentity(**of, contact=contact, channel="SANDBOX", identity=number_of(place))
        for place, contact in enumerate(contacts)
    )
    moments = [now - 60 * DAY + timedelta(seconds=place) for place in range(conversations)]
    talks = Conversation.objects.bulk_create(
        Conversation(**of, app=app, contact=contact, newest_accept_time=at, newest_ever_accept_time=at)
        for contact, at in zip(contacts, moments, strict=True)
    )
    Message.objects.bulk_create(
        Message(**of, app=app, conversation=talk, direction="TO_APP", content={}, accept_time=at,
                processing_mode="CONVERSATION")
        for talk, at in zip(talks, moments, strict=True)
    )  # fmt: skip


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("conversations", "writes"), [(120, 60), pytest.param(20_000, 2400, marks=pytest.mark.long)]
)
def test_what_is_written_into_a_conversation_that_expires_is_neither_lost_nor_left_alone(
    committed: None, now: datetime, monkeypatch: Any, conversations: int, writes: int
) -> None:
    app = make_app()
    rule(app, CONVERSATIONS, 30, now=now)
    fill(app, now, conversations=conversations)
    old = set(Conversation.objects.values_list("pk", flat=True))
    monkeypatch.setattr(windows, "TARGET_WHEN_LATE", 20)  # many small batches to meet
    monkeypatch.setattr(purging, "DUTY", 1.0)
    credential, acknowledged, ended = app.credentials.get(), list[str](), list[int]()
    some_are_written = threading.Event()

    def write(writer: int) -> None:
        chance = random.Random(writer)
        try:
            for turn in range(writer, writes, WRITERS):
                whom = number_of(chance.randrange(conversations))
                said = Inbound(str(turn), whom, {"text_message": {"text": "hello"}})
                receiving.receive(credential, [said], now=clock.now())
                acknowledged.append(said.channel_message_id)
                if len(acknowledged) > writes // 10:
                    some_are_written.set()
        finally:
            ended.append(writer)

    def purge() -> None:
        some_are_written.wait(timeout=60)
        while len(ended) < WRITERS:
            purging.run(now=now)

    writers = [functools.partial(write, writer) for writer in range(WRITERS)]
    assert at_once(purge, *writers, seconds=800) == []
    purging.run(now=now)

    written = Message.objects.exclude(channel_message_id="")
    assert sorted(written.values_list("channel_message_id", flat=True)) == sorted(acknowledged)
    assert not Message.objects.filter(
        ~Exists(Conversation.objects.filter(pk=OuterRef("conversation")))
    ).exists()
    left = Conversation.objects.annotate(
        newest=Max("messages__accept_time"), first=Min("messages__accept_time")
    )
    assert all(talk.newest_accept_time == talk.newest > now for talk in left)
    saved = {talk.pk for talk in left if talk.first < now}
    assert saved == old.intersection(talk.pk for talk in left)  # whole: with what had been due
    assert saved < {talk.pk for talk in left}  # others were begun anew
    assert saved
