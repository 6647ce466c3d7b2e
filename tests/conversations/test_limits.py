"""Both sides of the contract's limits: how long its lists are, how many choices and cards a message has, how old a message is."""

from datetime import timedelta
from typing import Any

import pytest

from conversations.models import Conversation, Direction, Message
from projects import clock
from projects.models import ProcessingMode
from tests.factories import NOW, make_contact, make_conversation, path


@pytest.fixture
def conversation(app):
    return make_conversation(app)


@pytest.fixture
def many(app, conversation):
    """51 conversations, and 1001 messages in one of them."""
    contact = make_contact(app.project)
    Conversation.objects.bulk_create(
        Conversation(project=app.project, app=app, contact=contact, stopped_at=NOW, newest_accept_time=NOW)
        for _ in range(50)
    )
    Message.objects.bulk_create(
        Message(
            project_id=app.project_id,
            app=app,
            conversation=conversation,
            direction=Direction.TO_APP,
            content={"text_message": {"text": "hello"}},
            processing_mode=ProcessingMode.CONVERSATION,
            accept_time=NOW,
        )
        for _ in range(1001)
    )


@pytest.mark.parametrize(
    ("rest", "largest"), [("conversations", 20), ("conversations:recent", 50), ("messages", 1000)]
)
def test_a_page_has_10_entries_unless_more_are_asked_for_and_no_more_than_it_may(
    api, app, many, rest, largest
):
    def asked(**query):
        listed = api.get(path(app.project, rest), {"app_id": app.id} | query).json()
        return len(listed["messages" if rest == "messages" else "conversations"])

    assert asked() == 10
    assert asked(page_size=largest) == asked(page_size=largest + 1) == largest


CHOICE = {"text_message": {"text": "Yes"}}


@pytest.mark.parametrize(
    ("most", "message"),
    [
        (10, lambda number: {"choice_message": {"choices": [CHOICE] * number}}),
        (10, lambda number: {"card_message": {"title": "A card", "choices": [CHOICE] * number}}),
        (10, lambda number: {"carousel_message": {"cards": [{"title": "A card"}] * number}}),
        (3, lambda number: {"carousel_message": {"cards": [{"title": "A"}], "choices": [CHOICE] * number}}),
    ],
    ids=["choices", "choices of a card", "cards", "choices of a carousel"],
)
def test_a_message_has_as_many_parts_as_the_contract_allows(api, app, most, message):
    recipient = {"identified_by": {"channel_identities": [{"channel": "SANDBOX", "identity": "46700000001"}]}}

    def status(number):
        body = {"app_id": app.id, "recipient": recipient, "message": message(number)}
        return api.post(path(app.project, "messages:send"), body, format="json").status_code

    assert [status(most), status(most + 1)] == [200, 400]


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (timedelta(days=30, minutes=-1), 200),
        (timedelta(days=30, minutes=1), 400),
        (timedelta(minutes=1), 200),
        (-timedelta(minutes=1), 400),
    ],
    ids=["almost 30 days", "more than 30 days", "a minute", "to come"],
)
def test_what_is_injected_happened_within_30_days(api, conversation, age, status):
    happened = {
        "accept_time": (clock.now() - age).isoformat(),
        "contact_id": conversation.contact_id,
        "channel_identity": {"channel": "SMS", "identity": "46700000001"},
    }
    bodies: dict[str, dict[str, Any]] = {
        "inject-message": {"app_message": {"text_message": {"text": "hello"}}, "direction": "TO_CONTACT"},
        "inject-event": {"app_event": {"composing_event": {}}},
    }

    for verb, body in bodies.items():
        url = path(conversation.project, f"conversations/{conversation.id}:{verb}")
        assert api.post(url, happened | body, format="json").status_code == status, verb
