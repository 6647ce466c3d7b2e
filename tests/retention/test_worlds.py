"""In every world that can be thought of, the purge leaves what the plain model leaves."""

from __future__ import annotations

import os
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Q
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from contacts.models import Contact
from conversations import deleting
from conversations.models import Conversation, Message, Receipt
from projects.models import App, ProcessingMode
from retention import due, holding, policies, purging
from retention.deciding.grounds import Giver, take_down
from retention.deciding.ruling import Policy
from retention.due import Count
from retention.holding import Holds
from retention.models import HoldScope, RetentionPolicy, Via
from retention.policies import PolicyType, Scope
from tests.factories import KEY, make_contact, make_project
from tests.retention.model import AnApp, Dispatched, Hold, Talk, Version
from tests.retention.worlds import CONVERSATIONS, GROUND, MESSAGES, PERSIST
from webhooks.models import Event

WORLDS = int(os.environ.get("RETENTION_WORLDS", "40"))
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
holds = st.builds(
    Hold, talk=st.none() | st.integers(0, 3), oldest=st.none() | ages, youngest=st.none() | ages
).filter(lambda each: each.oldest is None or each.youngest is None or each.oldest > each.youngest)
some_apps = st.builds(
    AnApp,
    versions=st.lists(versions, max_size=4).map(lambda some: sorted(some, key=lambda each: -each.made)),
    dispatch_ttl_days=st.sampled_from([0, 1, 7]),
    is_deleted=st.sampled_from([False, False, False, True]),
    talks=st.lists(talks, min_size=1, max_size=4),
    dispatched=st.lists(
        st.builds(Dispatched, age=ages | st.just(timedelta(days=7)), is_settled=st.booleans()), max_size=3
    ),
    holds=st.just([]) | st.lists(holds, max_size=2),
)


@pytest.mark.timeout(1800)  # a world that fails is made smaller first
@pytest.mark.parametrize("worlds", [WORLDS, pytest.param(2000, marks=pytest.mark.long)])
def test_the_purge_leaves_what_the_model_leaves(db: None, now: datetime, worlds: int) -> None:
    seen = go_through(worlds, now)

    assert seen["on the boundary"] >= 0.4 * seen["worlds"], seen
    assert seen["held"] >= 0.2 * seen["worlds"], seen


def go_through(worlds: int, now: datetime) -> Counter[str]:
    """Build, purge and compare so many worlds; what was seen in them."""
    seen: Counter[str] = Counter()
    contact = make_contact(make_project())

    @settings(
        max_examples=worlds,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=[Phase.generate],
    )
    @given(st.lists(some_apps, min_size=1, max_size=3))
    def in_every(world: list[AnApp]) -> None:
        seen["worlds"] += 1
        seen["on the boundary"] += any(each.has_a_row_on_the_boundary() for each in world)
        seen["held"] += any(each.holds for each in world)
        with transaction.atomic():
            hold(world, contact, now)
            transaction.set_rollback(True)

    in_every()
    return seen


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


def not_older(rows: Any) -> Any:
    """The purge takes what is exactly as old as the TTL, too."""
    return lambda app, scope, cutoff: rows(app, scope, cutoff + timedelta(microseconds=1))


def by_creation(app: App, _scope: Scope, cutoff: datetime) -> Any:
    return Conversation.objects.filter(app=app, created_at__lt=cutoff)


def by_the_epoch(app: App, _scope: Scope, cutoff: datetime) -> Any:
    return Conversation.objects.filter(Q(newest_accept_time__lt=cutoff) | Q(newest_accept_time=None), app=app)


def drop_shells(conversations: Any) -> None:
    Conversation.objects.filter(pk__in=[row.pk for row in conversations], messages=None).delete()


def purge_tombstones(rows: Any, cutoff: datetime, policy: Any, holds: Any) -> due.Due:
    return due.Due(rows if policy is None else holds.spare(rows), cutoff, policy)


MUTANTS: dict[str, tuple[Any, str, Any]] = {
    "≤ for <": (policies.EXPIRED, MESSAGES, not_older(policies.EXPIRED[MESSAGES])),
    "an empty conversation is of 1970": (policies.EXPIRED, CONVERSATIONS, by_the_epoch),
    "a conversation is as old as its creation": (policies.EXPIRED, CONVERSATIONS, by_creation),
    "a day has 23 hours": (
        Policy,
        "cutoff",
        lambda self, at: at - timedelta(hours=23 * self.ttl_days) if self.retention_type != PERSIST else None,
    ),
    "holds are ignored": (Holds, "spare", lambda _, rows: rows),
    "empty conversations are tidied up": (deleting, "renew_newest", drop_shells),
    "a deleted app has no holds": (due, "_spared", purge_tombstones),
}


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_model_sees_through_a_purge_that_is_wrong(
    db: None, now: datetime, monkeypatch: pytest.MonkeyPatch, mutant: str
) -> None:
    where, name, other = MUTANTS[mutant]
    if isinstance(where, dict):
        monkeypatch.setitem(where, name, other)
    else:
        monkeypatch.setattr(where, name, other)

    with pytest.raises((AssertionError, ExceptionGroup)):
        go_through(2000, now)


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
        for each in model.holds:
            self.place(each)

    def enact(
        self, retention_type: str, ttl_days: int, made: timedelta, waits: timedelta, number: int, scope: Scope
    ) -> None:
        policy = Policy(scope=scope, retention_type=PolicyType(retention_type), ttl_days=ttl_days)
        made_at = self.now - made
        giver = Giver(via=Via.API, author_key=KEY)
        RetentionPolicy.objects.create(
            app=self.app,
            scope=scope,
            number=number,
            retention_type=retention_type,
            ttl_days=ttl_days,
            via=Via.API,
            author_key=KEY,
            created_at=made_at,
            effective_at=made_at + waits,
            justification=take_down(GROUND, policy, app=self.app, giver=giver, now=made_at),
        )

    def place(self, hold: Hold) -> None:
        talk = None if hold.talk is None else self.talks[hold.talk % len(self.talks)][0].pk
        holding.place(
            project=self.contact.project,
            scope=HoldScope.APP if talk is None else HoldScope.CONVERSATION,
            app=self.app if talk is None else None,
            conversation_id=talk,
            accept_from=None if hold.oldest is None else self.now - hold.oldest,
            accept_until=None if hold.youngest is None else self.now - hold.youngest,
            matter="Case 7",
            now=self.now,
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
