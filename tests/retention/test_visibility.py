"""What is served of what is stored: nothing that has been due for more than a day, and all that has not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from conversations import visibility
from conversations.models import Message, Status
from projects import clock
from projects.models import App, ProcessingMode
from retention import holding
from retention.deciding import changing
from retention.models import HoldScope, RetentionPolicy, Via
from retention.policies import PolicyType
from tests.factories import (
    KEY,
    api_client,
    keep_dispatched,
    make_app,
    make_contact,
    make_conversation,
    make_event,
    make_message,
    path,
)

DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
MESSAGES = PolicyType.MESSAGE_EXPIRE_POLICY
CONVERSATIONS = PolicyType.CONVERSATION_EXPIRE_POLICY
PERSIST = PolicyType.PERSIST_RETENTION_POLICY
CONVERSATION, DISPATCH = ProcessingMode.CONVERSATION, ProcessingMode.DISPATCH


@pytest.fixture(autouse=True)
def filtering(settings: Any) -> None:
    settings.RETENTION_READ_FILTER = True


@pytest.fixture
def client(app: App) -> Any:
    return api_client(app.project)


def rule(app: App, retention_type: PolicyType, ttl_days: int, *, now: datetime | None = None) -> None:
    """From long ago on."""
    since = (now or clock.now()) - 4000 * DAY
    changing.change(
        app=app, retention_type=retention_type, ttl_days=ttl_days, via=Via.API, author_key=KEY, now=since
    )
    assert not RetentionPolicy.objects.filter(effective_at__gt=since + DAY).exists()


def old(app: App, days: float, **fields: Any) -> Message:
    """A message of so many days ago."""
    return make_message(app, accept_time=clock.now() - days * DAY, **fields)


def listed(client: Client, app: App, rest: str = "messages", **query: Any) -> list[str]:
    answer = client.get(path(app.project, rest), {"page_size": 20} | query)
    assert answer.status_code == 200, answer.content
    (rows,) = (value for value in answer.json().values() if isinstance(value, list))
    return [row.get("conversation", row)["id"] for row in rows]


@pytest.mark.parametrize(
    ("late", "is_served"), [(-MICROSECOND, True), (timedelta(0), True), (MICROSECOND, False)]
)
@pytest.mark.parametrize(("retention_type", "ttl_days"), [(None, 180), (MESSAGES, 30), (CONVERSATIONS, 30)])
def test_a_message_is_served_for_a_day_after_its_ttl_to_the_microsecond(
    app: App,
    now: datetime,
    retention_type: PolicyType | None,
    ttl_days: int,
    late: timedelta,
    is_served: bool,
) -> None:
    if retention_type:
        rule(app, retention_type, ttl_days, now=now)
    message = make_message(app, accept_time=now - ttl_days * DAY - DAY - late)
    make_event(message.conversation, accept_time=message.accept_time)
    assert message.conversation

    messages = visibility.messages(app.project_id, CONVERSATION, at=now)
    events = visibility.events(app.project_id, CONVERSATION, at=now)
    conversations = visibility.conversations(app.project_id, at=now)
    talks = visibility.conversations_with_last(app.project_id, at=now)

    assert (messages.exists(), events.exists(), talks.exists()) == (is_served,) * 3
    assert conversations.exists() is (is_served or retention_type != CONVERSATIONS)


def test_what_is_served_no_more_is_found_under_no_address(app: App, client: Client) -> None:
    gone, young = old(app, 182), old(app, 1)
    event = make_event(gone.conversation, accept_time=gone.accept_time)

    one = path(app.project, f"messages/{gone.id}")
    answers = [client.get(one), client.delete(one), client.patch(one, {"metadata": "x"}, format="json")]
    answers.append(client.get(path(app.project, f"events/{event.id}")))
    body = {"channel_identities": [gone.identity]}
    last = client.post(path(app.project, "messages:fetch-last-message"), body, format="json")

    assert {answer.status_code for answer in answers} == {404}
    assert [message["id"] for message in last.json()["messages"]] == [young.id]
    assert listed(client, app) == [young.id]
    assert listed(client, app, app_id=app.id) == [young.id]
    assert listed(client, app, conversation_id=gone.conversation_id) == []
    assert listed(client, app, "events", conversation_id=gone.conversation_id) == []
    assert listed(client, app, "conversations:recent", app_id=app.id) == [young.conversation_id]
    assert Message.objects.filter(pk=gone.pk, metadata="").exists()


def test_what_a_hold_keeps_past_its_time_is_not_served(app: App, client: Client) -> None:
    held = old(app, 182)
    holding.place(
        project=app.project, scope=HoldScope.APP, app=app, matter="A case", text="Kept.", now=clock.now()
    )

    assert listed(client, app) == []
    assert Message.objects.filter(pk=held.pk).exists()


def test_a_conversation_is_served_whole_or_not_at_all(app: App, client: Client) -> None:
    rule(app, CONVERSATIONS, 30)
    talk, silence = make_conversation(app), make_conversation(app)
    ancient, young = old(app, 400, conversation=talk), old(app, 29, conversation=talk)
    event = make_event(talk, accept_time=ancient.accept_time)
    old(app, 32, conversation=silence)

    assert listed(client, app) == [young.id, ancient.id]
    assert listed(client, app, "events", conversation_id=talk.id) == [event.id]
    assert listed(client, app, "conversations", app_id=app.id) == [talk.id]
    assert listed(client, app, "conversations:recent", app_id=app.id) == [talk.id]
    assert client.get(path(app.project, f"conversations/{silence.id}")).status_code == 404
    assert client.get(path(app.project, f"conversations/{talk.id}")).status_code == 200


def test_what_is_kept_until_it_is_deleted_is_served_at_any_age(app: App, client: Client) -> None:
    rule(app, PERSIST, 1)
    message = old(app, 4000)

    assert listed(client, app) == [message.id]
    assert client.get(path(app.project, f"messages/{message.id}")).status_code == 200


def test_a_policy_that_waits_hides_nothing_yet(app: App, client: Client) -> None:
    message = old(app, 100)

    changing.change(
        app=app, retention_type=MESSAGES, ttl_days=1, via=Via.API, author_key=KEY, now=clock.now()
    )

    assert RetentionPolicy.objects.get().effective_at > clock.now()
    assert listed(client, app) == [message.id]


def test_a_longer_policy_serves_at_once_what_is_still_there(app: App, client: Client) -> None:
    message = old(app, 200)
    assert listed(client, app) == []

    changing.change(
        app=app, retention_type=MESSAGES, ttl_days=365, via=Via.API, author_key=KEY, now=clock.now()
    )

    assert listed(client, app) == [message.id]


def test_each_app_of_a_project_is_served_by_its_own_policy(app: App, client: Client) -> None:
    short, kept, whole = (make_app(app.project) for _ in range(3))
    rule(short, MESSAGES, 1)
    rule(kept, PERSIST, 1)
    rule(whole, CONVERSATIONS, 1)
    contact = make_contact(app.project)
    rows = {
        (one.id, days): old(one, days, conversation=make_conversation(one, contact, stopped_at=clock.now()))
        for one in (app, short, kept, whole)
        for days in (1, 3, 200)
    }

    served = {place for place, message in rows.items() if message.id in listed(client, app)}

    assert served == {(one.id, 1) for one in (app, short, kept, whole)} | {
        *[(app.id, 3), (kept.id, 3), (kept.id, 200)],
    }
    assert len(listed(client, app, contact_id=contact.id)) == len(served)
    assert len(listed(client, app, app_id=whole.id)) == 1
    assert len(listed(client, app, "conversations", contact_id=contact.id)) == 10


def test_a_strangers_policy_changes_nothing(app: App, client: Client) -> None:
    message = old(app, 100)
    rule(make_app(), MESSAGES, 1)

    assert listed(client, app) == [message.id]


def test_pages_go_on_where_the_last_one_ended(app: App, client: Client) -> None:
    rule(make_app(app.project), CONVERSATIONS, 1)
    expected = [old(app, days).id for days in (1, 2, 180, 180.9)]
    old(app, 181.1)
    seen, token = [], ""

    for _ in expected:
        asked = {"page_size": "1", "page_token": token}
        answer = client.get(path(app.project, "messages"), asked).json()
        seen += [message["id"] for message in answer["messages"]]
        token = answer["next_page_token"]

    assert (seen, token) == (expected, "")


def test_what_was_dispatched_is_served_until_it_is_due_and_a_day_longer(app: App, client: Client) -> None:
    keep_dispatched(app, ttl_days=7)
    dispatched: dict[str, Any] = {"processing_mode": DISPATCH}
    young, gone = (old(app, days, **dispatched) for days in (7.9, 8.1))
    awaited = old(app, 20, **dispatched, status=Status.QUEUED_ON_CHANNEL)
    event = make_event(app=app, accept_time=gone.accept_time, **dispatched)

    assert listed(client, app, messages_source="DISPATCH_SOURCE") == [young.id, awaited.id]
    assert client.get(path(app.project, f"events/{event.id}")).status_code == 404


def test_the_filter_can_be_switched_off(app: App, client: Client, settings: Any) -> None:
    settings.RETENTION_READ_FILTER = False
    message = old(app, 4000)

    assert listed(client, app) == [message.id]
