"""Events over the API: sent, listed, injected, deleted."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from conversations.models import ConversationEvent
from projects import clock
from projects.models import ProcessingMode
from tests.factories import (
    make_app,
    make_contact,
    make_conversation,
    make_event,
    make_project,
    path,
)
from tests.refusals import assert_refused

COMPOSING = {"composing_event": {}}
AGENT = {"display_name": "Ann", "type": "HUMAN", "picture_url": "https://example.com/a.png"}


def send(api, app, event=COMPOSING, **fields):
    identities = [{"channel": "SANDBOX", "identity": "+46 700000010".replace(" ", "")}]
    body = {
        "app_id": app.id,
        "event": event,
        "recipient": {"identified_by": {"channel_identities": identities}},
    } | fields
    return api.post(path(app.project, "events:send"), body, format="json")


def listed(api, project, query):
    return api.get(path(project, f"events?{query}"))


def inject(api, conversation, **fields):
    body = {"app_event": COMPOSING, "accept_time": clock.now().isoformat()} | fields
    url = path(conversation.project, f"conversations/{conversation.id}:inject-event")
    return api.post(url, body, format="json")


@pytest.mark.parametrize(
    "event",
    [
        {"composing_event": {}},
        {"composing_end_event": {}},
        {"comment_reply_event": {"text": "Thanks"}},
        {"agent_joined_event": {"agent": AGENT}},
        {"agent_left_event": {"agent": {}}},
        {"generic_event": {"payload": {"any": ["thing", 1, None]}}},
    ],
)
def test_every_kind_of_event_is_read_back_as_it_was_sent(api, app, event):
    answer = send(api, app, event)

    shown = api.get(path(app.project, f"events/{answer.json()['event_id']}")).json()

    assert shown["app_event"] == event
    assert shown["accept_time"] == answer.json()["accepted_time"]
    assert (shown["direction"], shown["processing_mode"]) == ("TO_CONTACT", "CONVERSATION")
    assert shown["channel_identity"] == {"channel": "SANDBOX", "identity": "46700000010", "app_id": ""}
    assert "contact_event" not in shown


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (None, "event"),
        ({}, "event"),
        ([], "event"),
        ({"composing_event": {}, "composing_end_event": {}}, "event"),
        ({"rain_event": {}}, "event"),
        ({"composing_event": "now"}, "event.composing_event"),
        ({"comment_reply_event": {}}, "event.comment_reply_event.text"),
        ({"comment_reply_event": {"text": 1}}, "event.comment_reply_event.text"),
        ({"agent_joined_event": {}}, "event.agent_joined_event.agent"),
        ({"agent_left_event": {"agent": {"type": "CAT"}}}, "event.agent_left_event.agent.type"),
        ({"generic_event": {"payload": 1}}, "event.generic_event.payload"),
    ],
)
def test_an_event_that_is_none_of_the_contracts_is_refused(api, app, event, field):
    assert_refused(send(api, app, event), field)
    assert not ConversationEvent.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"app_id": None}, "app_id"),
        ({"recipient": {}}, "recipient"),
        ({"channel_priority_order": ["SMS", "RCS"]}, "channel_priority_order"),
        ({"channel_priority_order": ["FAX"]}, "channel_priority_order[0]"),
        ({"event_metadata": "m" * 1025}, "event_metadata"),
        ({"queue": "NOW"}, "queue"),
        ({"callback_url": "ftp://example.com/"}, "callback_url"),
    ],
)
def test_a_field_that_is_wrong_is_named(api, app, fields, field):
    assert_refused(send(api, app, **fields), field)


def test_metadata_may_have_1024_characters(api, app):
    assert send(api, app, event_metadata="🦊" * 1024).status_code == 200


def test_apps_and_contacts_of_others_do_not_exist(api, app):
    stranger = make_project()

    theirs = {"contact_id": make_contact(stranger, "46700000010").id}

    assert send(api, app, app_id=make_app(stranger).id).status_code == 404
    assert send(api, app, recipient=theirs).status_code == 404


def test_a_dispatching_app_needs_identities(api, app, project):
    app.processing_mode = ProcessingMode.DISPATCH
    app.save()
    contact = make_contact(project, "46700000010")

    assert_refused(send(api, app, recipient={"contact_id": contact.id}), "recipient")


def test_events_are_listed_newest_first_by_conversation_or_by_contact(api, app, now):
    conversation = make_conversation(app)
    oldest, newest = (make_event(conversation, accept_time=now + timedelta(seconds=age)).id for age in (1, 2))
    make_event(make_conversation(app), accept_time=now)

    by_conversation = listed(api, app.project, f"conversation_id={conversation.id}").json()
    by_contact = listed(api, app.project, f"contact_id={conversation.contact_id}").json()

    assert [event["id"] for event in by_conversation["events"]] == [newest, oldest]
    assert by_contact == by_conversation
    assert by_contact["next_page_token"] == ""


def test_a_list_of_everything_is_refused(api, app):
    assert_refused(listed(api, app.project, ""), "conversation_id")


@pytest.mark.parametrize(("asked", "given"), [("", 10), ("&page_size=20", 20), ("&page_size=21", 20)])
def test_a_page_has_10_events_and_at_most_20(api, app, now, asked, given):
    conversation = make_conversation(app)
    for _ in range(21):
        make_event(conversation, accept_time=now)

    page = listed(api, app.project, f"conversation_id={conversation.id}{asked}").json()

    assert len(page["events"]) == given
    rest = listed(
        api, app.project, f"conversation_id={conversation.id}{asked}&page_token={page['next_page_token']}"
    ).json()
    assert not {event["id"] for event in page["events"]} & {event["id"] for event in rest["events"]}


def test_a_list_costs_one_query_however_long(api, app, now, django_assert_num_queries):
    conversation = make_conversation(app)
    for _ in range(10):
        make_event(conversation, accept_time=now)
    listed(api, app.project, f"conversation_id={conversation.id}")

    with django_assert_num_queries(1):
        listed(api, app.project, f"conversation_id={conversation.id}")


def test_a_list_for_ids_of_others_is_empty(api, app, now):
    theirs = make_event(make_conversation(make_app()), accept_time=now)

    for query in (
        f"conversation_id={theirs.conversation_id}",
        f"contact_id={theirs.contact_id}",
        "contact_id=x",
    ):
        assert listed(api, app.project, query).json() == {"events": [], "next_page_token": ""}


def test_a_deleted_event_is_gone(api, app, now):
    event = make_event(make_conversation(app), accept_time=now)

    assert api.delete(path(app.project, f"events/{event.id}")).json() == {}

    assert api.get(path(app.project, f"events/{event.id}")).status_code == 404
    assert api.delete(path(app.project, f"events/{event.id}")).status_code == 404


def test_a_deleted_conversation_takes_its_events_along(api, app, now):
    event = make_event(make_conversation(app), accept_time=now)

    answer = api.delete(path(app.project, f"conversations/{event.conversation_id}"))

    assert answer.status_code == 200
    assert not ConversationEvent.objects.exists()


def test_an_injected_event_is_kept_and_not_sent(api, app):
    conversation = make_conversation(app)
    identity = {"channel": "SANDBOX", "identity": "46700000010"}
    accept_time = (clock.now() - timedelta(days=1)).isoformat().replace("+00:00", "Z")

    answer = inject(api, conversation, accept_time=accept_time, channel_identity=identity)

    assert answer.json()["accepted_time"] == accept_time
    shown = api.get(path(app.project, f"events/{answer.json()['event_id']}")).json()
    assert (shown["app_event"], shown["conversation_id"]) == (COMPOSING, conversation.id)
    assert shown["channel_identity"] == identity | {"app_id": ""}
    conversation.refresh_from_db()
    assert conversation.newest_accept_time is None


@pytest.mark.parametrize(("days", "status"), [(29.99, 200), (30.01, 400), (-0.01, 400)])
def test_an_injected_event_happened_within_30_days(api, app, days, status):
    accept_time = (clock.now() - timedelta(days=days)).isoformat()

    assert inject(api, make_conversation(app), accept_time=accept_time).status_code == status


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"app_event": None}, "app_event"),
        ({"accept_time": "yesterday"}, "accept_time"),
        ({"accept_time": None}, "accept_time"),
        ({"processing_mode": "DISPATCH"}, "processing_mode"),
        ({"conversation_id": "another"}, "conversation_id"),
        ({"contact_id": "another"}, "contact_id"),
        ({"channel_identity": {"channel": "SANDBOX"}}, "channel_identity.identity"),
    ],
)
def test_an_injection_that_is_wrong_is_refused(api, app, fields, field):
    assert_refused(inject(api, make_conversation(app), **fields), field)


def test_nothing_is_injected_where_the_app_dispatches(api, app):
    conversation = make_conversation(app)
    app.processing_mode = ProcessingMode.DISPATCH
    app.save()

    answer = inject(api, conversation)

    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "FAILED_PRECONDITION")


def test_other_methods_are_not_there(api, app):
    conversation = make_conversation(app)

    for method, url in (
        ("get", "events:send"),
        ("post", "events"),
        ("get", f"conversations/{conversation.id}:inject-event"),
    ):
        answer = getattr(api, method)(path(app.project, url))
        assert (answer.status_code, answer.json()["error"]["status"]) == (501, "UNIMPLEMENTED")


@pytest.mark.django_db
def test_an_event_is_of_its_conversation_s_app(app, now):
    event = make_event(make_conversation(app), accept_time=now)

    with pytest.raises(IntegrityError), transaction.atomic():
        ConversationEvent.objects.filter(pk=event.pk).update(app=make_app(app.project))
        connection.check_constraints()
