"""Messages and conversations over the API: shapes, filters, pages, refusals, strangers."""

from datetime import timedelta

import pytest

from contacts.models import Contact
from conversations.models import Direction, Message
from projects.ids import ulid
from tests.factories import (
    NOW,
    api_client,
    make_app,
    make_contact,
    make_conversation,
    make_message,
    make_project,
    path,
)


@pytest.fixture
def send(api, app):
    def send(**changes):
        identities = [{"channel": "SANDBOX", "identity": "+46 700000010".replace(" ", "")}]
        body = {
            "app_id": app.id,
            "recipient": {"identified_by": {"channel_identities": identities}},
            "message": {"text_message": {"text": "hello"}},
        }
        return api.post(path(app.project, "messages:send"), body | changes, format="json")

    return send


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"app_id": None}, "app_id"),
        ({"recipient": {}}, "recipient"),
        (
            {
                "recipient": {
                    "contact_id": "x",
                    "identified_by": {"channel_identities": [{"channel": "SMS", "identity": "4670000"}]},
                }
            },
            "recipient",
        ),
        (
            {"recipient": {"identified_by": {"channel_identities": []}}},
            "recipient.identified_by.channel_identities",
        ),
        (
            {
                "recipient": {
                    "identified_by": {"channel_identities": [{"channel": "PIGEON", "identity": "1"}]}
                }
            },
            "recipient.identified_by.channel_identities[0].channel",
        ),
        (
            {
                "recipient": {
                    "identified_by": {"channel_identities": [{"channel": "SMS", "identity": "nobody"}]}
                }
            },
            "recipient.identified_by.channel_identities[0].identity",
        ),
        ({"message": {}}, "message"),
        ({"message": "hello"}, "message"),
        ({"message": {"text_message": {}}}, "message.text_message.text"),
        ({"message": {"text_message": {"text": ""}}}, "message.text_message.text"),
        ({"message": {"text_message": {"text": "a\0b"}}}, "message.text_message.text"),
        ({"message": {"text_message": {"text": "a"}, "location_message": {}}}, "message"),
        (
            {"message": {"choice_message": {"choices": [{"text_message": {"text": "x"}}] * 11}}},
            "message.choice_message.choices",
        ),
        ({"message_metadata": "x" * 1025}, "message_metadata"),
        ({"correlation_id": "x" * 129}, "correlation_id"),
        ({"conversation_metadata": {"k": "x" * 2048}}, "conversation_metadata"),
        ({"channel_properties": {"SMS_SENDER": "x" * 1025}}, "channel_properties"),
        ({"ttl": "2s"}, "ttl"),
        ({"ttl": 30}, "ttl"),
        ({"ttl": "soon"}, "ttl"),
        *[({"ttl": text}, "ttl") for text in ("-5s", "1e3s", "1_0s", " 10s", "٣٠s", "nans")],
        ({"message": None}, "message"),
        ({"queue": "FAST"}, "queue"),
        ({"processing_strategy": "GUESS"}, "processing_strategy"),
        ({"channel_priority_order": ["PIGEON"]}, "channel_priority_order"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_stored(send, changes, field):
    answer = send(**changes)

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    violations = error["details"][0]["fieldViolations"]
    assert any(violation["field"].startswith(field) for violation in violations), violations
    assert not Message.objects.exists()
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"message_metadata": "𝄞" * 1024},
        {"correlation_id": "x" * 128},
        {"conversation_metadata": {"k": "x" * 2040}},
        {"channel_properties": {"SMS_SENDER": "x" * 1024}},
        {"ttl": "3s"},
        {"ttl": "315576000000s"},
        {"queue": "HIGH_PRIORITY"},
        {"unknown_field": 1},
        {"message": {"choice_message": {"choices": [{"text_message": {"text": "x"}}] * 10}}},
    ],
)
def test_what_is_just_within_a_limit_is_taken(send, changes):
    assert send(**changes).status_code == 200


def test_of_several_kinds_only_the_chosen_one_is_there_when_a_client_sends_the_others_as_null(api, app, send):
    choice = {"text_message": {"text": "Yes"}, "postback_data": {"kept": None}}
    message = {"choice_message": {"choices": [choice]}}
    spelt_out = {
        "choice_message": {"choices": [choice | {"url_message": None}], "text_message": None},
        "text_message": None,
        "agent": None,
    }

    sent = send(message=spelt_out).json()

    read = api.get(path(app.project, f"messages/{sent['message_id']}")).json()
    assert read["app_message"] == message


def test_a_foreign_app_contact_or_message_is_one_that_does_not_exist(api, app, send):
    stranger = make_project()
    other_app = make_app(stranger)
    other = make_message(conversation=make_conversation(other_app, make_contact(stranger, "46700000010")))

    def shape(answer):
        return answer.status_code, answer.json()["error"]["status"]

    pairs = [
        (send(app_id=other_app.id), send(app_id=ulid())),
        (
            send(recipient={"contact_id": other.conversation.contact_id}),
            send(recipient={"contact_id": ulid()}),
        ),
        (
            api.get(path(app.project, f"messages/{other.id}")),
            api.get(path(app.project, f"messages/{ulid()}")),
        ),
        (
            api.get(path(app.project, f"conversations/{other.conversation_id}")),
            api.get(path(app.project, "conversations/nonsense")),
        ),
    ]
    for foreign, missing in pairs:
        assert shape(foreign) == shape(missing) == (404, "NOT_FOUND")
    for query in (f"app_id={other_app.id}", f"contact_id={other.conversation.contact_id}"):
        assert api.get(path(app.project, f"messages?{query}")).json()["messages"] == []
        assert api.get(path(app.project, f"conversations?{query}")).json()["conversations"] == []


@pytest.mark.parametrize("rest", ["messages", "messages/x", "conversations?app_id=x", "conversations/x"])
def test_a_token_on_another_projects_path_is_refused(project, rest):
    answer = api_client(make_project()).get(path(project, rest))

    assert (answer.status_code, answer.json()["error"]["status"]) == (403, "PERMISSION_DENIED")


def test_messages_come_newest_first_in_pages_that_join_without_gap(api, app):
    conversation = make_conversation(app)
    # Several at one moment, so that a page may end between them.
    made = [
        make_message(conversation=conversation, accept_time=NOW + timedelta(minutes=number // 3)).id
        for number in range(25)
    ]

    seen, token, pages = [], "", 0
    while token or not pages:
        answer = api.get(path(app.project, "messages"), {"page_size": 10, "page_token": token}).json()
        seen += [message["id"] for message in answer["messages"]]
        token, pages = answer["next_page_token"], pages + 1

    assert pages == 3
    assert sorted(seen) == sorted(made)
    times = [api.get(path(app.project, f"messages/{id_}")).json()["accept_time"] for id_ in seen]
    assert times == sorted(times, reverse=True)


def test_filters_leave_what_they_say(api, app):
    first = make_message(app, accept_time=NOW)
    second = make_message(app, accept_time=NOW + timedelta(seconds=1), direction=Direction.TO_APP)

    def listed(**query):
        return {message["id"] for message in api.get(path(app.project, "messages"), query).json()["messages"]}

    assert listed() == {first.id, second.id}
    assert listed(conversation_id=first.conversation_id) == {first.id}
    assert listed(contact_id=second.conversation.contact_id) == {second.id}
    assert listed(direction="TO_APP") == {second.id}
    assert listed(start_time=NOW.isoformat(), end_time=(NOW + timedelta(seconds=1)).isoformat()) == {first.id}
    assert listed(channel="SMS") == set()
    assert listed(channel_identity=" 46700000010") == {first.id, second.id}  # a raw plus arrives as a blank


def test_the_view_without_metadata_blanks_it(api, app):
    make_message(app, metadata="secret")

    (message,) = api.get(path(app.project, "messages"), {"view": "WITHOUT_METADATA"}).json()["messages"]

    assert message["metadata"] == ""


@pytest.mark.parametrize(
    "query",
    ["page_size=0", "page_size=-1", "page_size=ten", "page_token=!!", "direction=UP", "start_time=noon"],
)
def test_a_bad_query_parameter_is_named(api, app, query):
    answer = api.get(path(app.project, f"messages?{query}"))

    assert answer.status_code == 400
    assert query.split("=")[0] in answer.json()["error"]["message"]


def test_lists_cost_the_same_queries_however_long(api, app, django_assert_num_queries):
    for _ in range(12):
        make_message(app)
    api.get(path(app.project, "messages"))

    with django_assert_num_queries(1):
        assert len(api.get(path(app.project, "messages"), {"page_size": 12}).json()["messages"]) == 12
    with django_assert_num_queries(2):  # the page, and the total that the contract asks for
        api.get(path(app.project, "conversations"), {"app_id": app.id, "page_size": 12})


def test_conversations_of_an_app_are_listed_with_their_total(api, app):
    made = [make_conversation(app).id for _ in range(3)]
    make_conversation(make_app(app.project))

    answer = api.get(path(app.project, "conversations"), {"app_id": app.id, "page_size": 2}).json()

    assert [row["id"] for row in answer["conversations"]] == [made[2], made[1]]
    assert answer["total_size"] == 3
    assert answer["conversations"][0]["last_received"] == "1970-01-01T00:00:00Z"


def test_a_list_of_all_conversations_is_refused(api, app):
    assert api.get(path(app.project, "conversations")).status_code == 400


def test_accept_time_is_told_to_the_microsecond(api, app):
    moment = NOW + timedelta(microseconds=123456)
    message = make_message(app, accept_time=moment)

    assert (
        api.get(path(app.project, f"messages/{message.id}")).json()["accept_time"]
        == "2026-06-01T12:00:00.123456Z"
    )
