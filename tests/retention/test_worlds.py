"""In every world that can be thought of, the purge leaves what the plain model leaves."""

from __future__ import annotations

import os
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.models import Contact
from conversations.models import Conversation, Message, Receipt
from projects.models import App, ProcessingMode
from retention import purging
from retention.due import Count
from retention.grounds import Giver, take_down
from retention.models import RetentionPolicy, Via
from retention.policies import PolicyType, Scope
from retention.ruling import Policy
from tests.factories import make_contact, make_project
from tests.retention.model import AnApp, Dispatched, Talk, Version
from tests.retention.worlds import GROUND
from webhooks.models import Event

WORLDS = int(os.environ.get("RETENTION_WORLDS", "120"))
TTLS = [1, 30, 180]
ON = timedelta(0)  # the boundary itself
NEAR = [timedelta(microseconds=1), timedelta(microseconds=-1), timedelta(hours=1), timedelta(days=-40)]

ages = st.builds(
    lambda days, off: timedelta(days=days) + off, st.sampled_from(TTLS), st.sampled_from([ON] * 3 + NEAR)
)
talks = st.builds(Talk, created=ages, messages=st.lists(ages, max_size=4), newest_ever=st.none() | ages)
versions = st.builds(
    Version,
    retention_type=st.sampled_from(PolicyType.values),
    ttl_days=st.sampled_from(TTLS),
    made=st.sampled_from([timedelta(hours=hours) for hours in (0, 1, 23, 24, 25, 47, 48, 1000)]),
    waits=st.sampled_from([timedelta(0), timedelta(hours=24)]),
)
some_apps = st.builds(
    AnApp,
    versions=st.lists(versions, max_size=4).map(lambda some: sorted(some, key=lambda each: -each.made)),
    dispatch_ttl_days=st.sampled_from([0, 1, 7]),
    is_deleted=st.sampled_from([False, False, False, True]),
    talks=st.lists(talks, min_size=1, max_size=4),
    dispatched=st.lists(
        st.builds(Dispatched, age=ages | st.just(timedelta(days=7)), is_settled=st.booleans()), max_size=3
    ),
)


@pytest.mark.timeout(900)  # a world that fails is made smaller first
def test_the_purge_leaves_what_the_model_leaves(db: None, now: datetime) -> None:
    seen: Counter[str] = Counter()
    contact = make_contact(make_project())

    @settings(
        max_examples=WORLDS,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(st.lists(some_apps, min_size=1, max_size=3))
    def in_every(world: list[AnApp]) -> None:
        seen["worlds"] += 1
        seen["on the boundary"] += any(each.has_a_row_on_the_boundary() for each in world)
        with transaction.atomic():
            hold(world, contact, now)
            transaction.set_rollback(True)

    in_every()

    assert seen["on the boundary"] >= 0.4 * seen["worlds"], seen


def hold(world: list[AnApp], contact: Contact, now: datetime) -> None:
    """Build the world, purge it, and compare; then purge it again."""
    built = [Built(each, contact, now) for each in world]

    foreseen = purging.run(now=now, dry_run=True)
    purged = purging.run(now=now)
    again = purging.run(now=now)

    for each in built:
        each.compare(purged)
    assert foreseen == purged
    assert not again.apps
    left = set(Message.objects.values_list("pk", flat=True))
    assert left == set(Receipt.objects.values_list("message_id", flat=True))
    assert left == set(Event.objects.values_list("message_id", flat=True))


class Built:
    """An app of the model as rows, and what must be left of them."""

    def __init__(self, model: AnApp, contact: Contact, now: datetime) -> None:
        self.model, self.contact, self.now = model, contact, now
        self.app = App.objects.create(
            project=contact.project, display_name="App", deleted_at=now if model.is_deleted else None
        )
        for number, version in enumerate(model.versions, start=1):
            self.enact(
                version.retention_type, version.ttl_days, version.made, version.waits, number, Scope.MESSAGES
            )
        self.enact(
            PolicyType.MESSAGE_EXPIRE_POLICY,
            model.dispatch_ttl_days,
            timedelta(days=99),
            timedelta(0),
            1,
            Scope.DISPATCH,
        )
        self.talks = [(self.converse(talk), talk) for talk in model.talks]
        self.dispatched = [
            (self.write(each.age, status="DELIVERED" if each.is_settled else "ACCEPTED"), each)
            for each in model.dispatched
        ]

    def enact(
        self, retention_type: str, ttl_days: int, made: timedelta, waits: timedelta, number: int, scope: Scope
    ) -> None:
        policy = Policy(scope=scope, retention_type=PolicyType(retention_type), ttl_days=ttl_days)
        made_at = self.now - made
        giver = Giver(via=Via.PORTAL)
        RetentionPolicy.objects.create(
            app=self.app,
            scope=scope,
            number=number,
            retention_type=retention_type,
            ttl_days=ttl_days,
            via=Via.PORTAL,
            created_at=made_at,
            effective_at=made_at + waits,
            justification=take_down(GROUND, policy, app=self.app, giver=giver, now=made_at),
        )

    def converse(self, talk: Talk) -> Conversation:
        ever = [age for age in [*talk.messages, talk.newest_ever] if age is not None]
        conversation = Conversation.objects.create(
            project=self.contact.project,
            app=self.app,
            contact=self.contact,
            stopped_at=self.now,
            newest_accept_time=self.now - min(talk.messages) if talk.messages else None,
            newest_ever_accept_time=self.now - min(ever) if ever else None,
        )
        Conversation.objects.filter(pk=conversation.pk).update(created_at=self.now - talk.created)
        for age in talk.messages:
            self.write(age, conversation=conversation)
        return conversation

    def write(self, age: timedelta, **fields: Any) -> Message:
        mode = ProcessingMode.CONVERSATION if "conversation" in fields else ProcessingMode.DISPATCH
        message = Message.objects.create(
            project=self.contact.project,
            app=self.app,
            direction="TO_CONTACT",
            content={},
            accept_time=self.now - age,
            processing_mode=mode,
            **({"status": "DELIVERED"} | fields),
        )
        about = {"app": self.app, "message_id": message.pk, "accept_time": message.accept_time}
        Receipt.objects.create(**about, status="DELIVERED", occurred_at=self.now)
        Event.objects.create(**about, trigger="MESSAGE_DELIVERY", body=b"{}")
        return message

    def compare(self, purged: purging.Purged) -> None:
        gone_messages = gone_conversations = 0
        for conversation, talk in self.talks:
            stay = self.model.left_of(talk)
            row = Conversation.objects.filter(pk=conversation.pk).first()
            gone_messages += len(talk.messages) - len(stay or [])
            gone_conversations += stay is None
            assert (row is None) == (stay is None)
            found = Message.objects.filter(conversation_id=conversation.pk).values_list(
                "accept_time", flat=True
            )
            assert sorted(found) == sorted(self.now - age for age in stay or [])
            if row:
                assert row.newest_accept_time == (self.now - min(stay) if stay else None)
        for message, dispatched in self.dispatched:
            stays = self.model.keeps(dispatched)
            gone_messages += not stays
            assert Message.objects.filter(pk=message.pk).exists() == stays
        assert purged.apps.get(self.app.pk, Count()) == Count(gone_messages, gone_conversations)


@pytest.mark.parametrize("waits", [0, 24])
def test_the_model_knows_a_replaced_version(waits: int) -> None:
    first = Version("PERSIST_RETENTION_POLICY", 1, timedelta(hours=30), timedelta(hours=24))
    second = Version("MESSAGE_EXPIRE_POLICY", 2, timedelta(hours=20), timedelta(hours=waits))

    assert AnApp([first, second], 0, is_deleted=False).policy()[1] == (2 if waits == 0 else 180)
