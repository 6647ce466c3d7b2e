"""Conversations over the API: begun, changed, stopped, deleted, and filled with what was said elsewhere."""

from datetime import timedelta

import pytest

from conversations.models import Conversation, Message
from projects import clock
from projects.ids import ulid
from projects.models import ProcessingMode
from tests.factories import (
    NOW,
    make_app,
    make_contact,
    make_conversation,
    make_message,
    make_project,
    make_webhook,
    path,
)
from webhooks.models import Event
from webhooks.triggers import Trigger


@pytest.fixture
def contact(project):
    return make_contact(project, "46700000010")


@pytest.fixture
def conversation(app, contact):
    return make_conversation(app, contact)


@pytest.fixture
def told(app):
    """The triggers of what was published."""
    make_webhook(app)
    return lambda: list(Event.objects.order_by("id").values_list("trigger", flat=True))


def patch(api, conversation, body, query=""):
    return api.patch(
        path(conversation.project, f"conversations/{conversation.id}{query}"), body, format="json"
    )


def test_a_conversation_begins_without_a_message(api, app, contact, told):
    body = {"app_id": app.id, "contact_id": contact.id, "metadata": "m", "metadata_json": {"a": 1}}

    answer = api.post(path(app.project, "conversations"), body, format="json").json()

    assert answer == {
        "id": answer["id"],
        "app_id": app.id,
        "contact_id": contact.id,
        "active": True,
        "active_channel": "CHANNEL_UNSPECIFIED",
        "last_received": "1970-01-01T00:00:00Z",
        "metadata": "m",
        "metadata_json": {"a": 1},
        "correlation_id": "",
    }
    assert told() == [Trigger.CONVERSATION_START]


def test_a_second_active_conversation_with_a_contact_is_refused(api, app, conversation):
    body = {"app_id": app.id, "contact_id": conversation.contact_id}

    answer = api.post(path(app.project, "conversations"), body, format="json")

    assert answer.status_code == 400
    assert "already have an active conversation" in answer.json()["error"]["message"]
    assert Conversation.objects.count() == 1
    assert (
        api.post(path(app.project, "conversations"), body | {"active": False}, format="json").status_code
        == 200
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"app_id": None}, "app_id"),
        ({"contact_id": None}, "contact_id"),
        ({"metadata": "x" * 1025}, "metadata"),
        ({"metadata_json": {"k": "x" * 2041}}, "metadata_json"),
        ({"metadata_json": []}, "metadata_json"),
        ({"correlation_id": "x" * 129}, "correlation_id"),
        ({"active": "yes"}, "active"),
        ({"active_channel": "PIGEON"}, "active_channel"),
    ],
)
def test_a_bad_field_of_a_new_conversation_is_named(api, app, contact, changes, field):
    body = {"app_id": app.id, "contact_id": contact.id} | changes

    answer = api.post(path(app.project, "conversations"), body, format="json")

    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["fieldViolations"][0]["field"] == field
    assert not Conversation.objects.exists()


def test_a_foreign_app_or_contact_does_not_exist(api, app, contact):
    theirs = make_project()
    for body in (
        {"app_id": make_app(theirs).id, "contact_id": contact.id},
        {"app_id": app.id, "contact_id": make_contact(theirs).id},
    ):
        assert api.post(path(app.project, "conversations"), body, format="json").status_code == 404


def test_only_what_is_sent_changes(api, conversation):
    patch(api, conversation, {"metadata": "m", "metadata_json": {"a": 1, "b": 2}, "correlation_id": "c"})

    answer = patch(api, conversation, {"metadata": "n", "id": "x", "app_id": "y", "contact_id": "z"}).json()

    assert (answer["metadata"], answer["metadata_json"]) == ("n", {"a": 1, "b": 2})
    assert (answer["correlation_id"], answer["id"]) == ("c", conversation.id)


def test_metadata_is_replaced_or_merged_as_asked(api, conversation):
    patch(api, conversation, {"metadata_json": {"a": 1, "b": {"c": 2}}})

    merge = "?metadata_update_strategy=MERGE_PATCH"
    merged = patch(api, conversation, {"metadata_json": {"a": None, "b": {"d": 3}}}, merge).json()
    replaced = patch(
        api, conversation, {"metadata_json": {"e": 4}}, "?metadata_update_strategy=REPLACE"
    ).json()

    assert merged["metadata_json"] == {"b": {"c": 2, "d": 3}}
    assert replaced["metadata_json"] == {"e": 4}
    assert patch(api, conversation, {"metadata_json": {}}, "?metadata_update_strategy=MIX").status_code == 400
    assert patch(api, conversation, {"metadata": "m"}, "?metadata_update_strategy=MIX").status_code == 400


def test_with_a_mask_only_masked_fields_change_and_absent_ones_are_reset(api, conversation):
    patch(api, conversation, {"metadata": "m", "correlation_id": "c"})

    answer = patch(api, conversation, {"correlation_id": "d"}, "?update_mask=metadata").json()

    assert (answer["metadata"], answer["correlation_id"]) == ("", "c")
    assert patch(api, conversation, {}, "?update_mask=nonsense").status_code == 400


def test_stopping_ends_it_once_and_the_next_message_starts_another(api, conversation, told):
    url = path(conversation.project, f"conversations/{conversation.id}:stop")

    assert api.post(url).json() == {}
    assert api.post(url, content_type="application/json").json() == {}

    assert api.get(path(conversation.project, f"conversations/{conversation.id}")).json()["active"] is False
    assert told() == [Trigger.CONVERSATION_STOP]


def test_a_stopped_conversation_can_go_on_unless_another_does(api, app, contact, conversation):
    patch(api, conversation, {"active": False})
    assert patch(api, conversation, {"active": True}).json()["active"] is True

    patch(api, conversation, {"active": False})
    make_conversation(app, contact)
    assert patch(api, conversation, {"active": True}).status_code == 400


def test_deleting_takes_its_messages_along_and_tells_of_it(api, conversation, told):
    make_message(conversation=conversation)
    url = path(conversation.project, f"conversations/{conversation.id}")

    assert api.delete(url).json() == {}

    assert api.get(url).status_code == 404
    assert not Message.objects.exists()
    assert told() == [Trigger.CONVERSATION_DELETE]


def test_recent_conversations_come_with_their_last_message(api, app, django_assert_num_queries):
    quiet, busy = make_conversation(app), make_conversation(app)
    make_message(conversation=quiet, accept_time=NOW)
    last = make_message(conversation=busy, accept_time=NOW + timedelta(seconds=2))
    make_message(conversation=busy, accept_time=NOW + timedelta(seconds=1))
    make_conversation(app)  # holds no message
    url = path(app.project, "conversations:recent")
    api.get(url, {"app_id": app.id})

    with django_assert_num_queries(5):  # app, page, total, which messages are last, and these
        answer = api.get(url, {"app_id": app.id}).json()

    assert [row["conversation"]["id"] for row in answer["conversations"]] == [busy.id, quiet.id]
    assert answer["conversations"][0]["last_message"]["id"] == last.id
    assert answer["total_size"] == 2
    oldest_first = api.get(url, {"app_id": app.id, "order": "ASC", "page_size": 1}).json()
    assert oldest_first["conversations"][0]["conversation"]["id"] == quiet.id
    token = oldest_first["next_page_token"]
    rest = api.get(url, {"app_id": app.id, "order": "ASC", "page_token": token}).json()
    assert [row["conversation"]["id"] for row in rest["conversations"]] == [busy.id]


class TestInjecting:
    @pytest.fixture
    def body(self, conversation):
        return {
            "app_message": {"text_message": {"text": "said elsewhere"}},
            "accept_time": (clock.now() - timedelta(days=1)).isoformat(),
            "channel_identity": {"channel": "SMS", "identity": "+46700000010"},
            "contact_id": conversation.contact_id,
            "direction": "TO_CONTACT",
            "metadata": "m",
        }

    def inject(self, api, conversation, body):
        url = path(conversation.project, f"conversations/{conversation.id}:inject-message")
        return api.post(url, body, format="json")

    def test_it_is_stored_to_the_microsecond_and_not_sent(self, api, conversation, body):
        moment = clock.now() - timedelta(days=3)

        answer = self.inject(
            api, conversation, body | {"accept_time": moment.isoformat(), "conversation_id": ""}
        )

        assert answer.json() == {}
        message = Message.objects.get()
        shown = api.get(path(conversation.project, f"messages/{message.id}")).json()
        assert message.accept_time == moment
        assert (shown["injected"], shown["message_status"], shown["metadata"]) == (True, None, "m")
        assert shown["channel_identity"] == {"channel": "SMS", "identity": "46700000010", "app_id": ""}
        conversation.refresh_from_db()
        assert conversation.newest_accept_time == moment

    def test_an_older_one_does_not_make_the_conversation_older(self, api, conversation, body):
        newest = make_message(conversation=conversation, accept_time=clock.now())

        self.inject(api, conversation, body)

        conversation.refresh_from_db()
        assert conversation.newest_accept_time == newest.accept_time

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"accept_time": "2999-01-01T00:00:00Z"}, "accept_time"),
            ({"accept_time": "2020-01-01T00:00:00Z"}, "accept_time"),
            ({"accept_time": "yesterday"}, "accept_time"),
            ({"app_message": None}, "app_message"),
            ({"contact_message": {"text_message": {"text": "x"}}}, "app_message"),
            ({"direction": "TO_APP"}, "contact_message"),
            ({"direction": None}, "direction"),
            ({"channel_identity": None}, "channel_identity"),
            ({"contact_id": None}, "contact_id"),
            ({"conversation_id": ulid()}, "conversation_id"),
            ({"processing_mode": "DISPATCH"}, "processing_mode"),
            ({"metadata": "x" * 1025}, "metadata"),
        ],
    )
    def test_a_bad_field_is_named_and_nothing_is_stored(self, api, conversation, body, changes, field):
        answer = self.inject(api, conversation, body | changes)

        assert answer.status_code == 400
        assert answer.json()["error"]["details"][0]["fieldViolations"][0]["field"] == field
        assert not Message.objects.exists()

    def test_a_contact_of_somebody_else_does_not_exist(self, api, conversation, body):
        stranger = make_contact(make_project())

        assert self.inject(api, conversation, body | {"contact_id": stranger.id}).status_code == 404

    def test_an_app_that_dispatches_has_no_place_for_it(self, api, conversation, body):
        conversation.app.processing_mode = ProcessingMode.DISPATCH
        conversation.app.save()

        answer = self.inject(api, conversation, body)

        assert (answer.status_code, answer.json()["error"]["status"]) == (400, "FAILED_PRECONDITION")

    def test_what_a_contact_said_is_injected_too(self, api, conversation, body):
        said = {
            "app_message": None,
            "contact_message": {"text_message": {"text": "hi"}},
            "direction": "TO_APP",
        }

        assert self.inject(api, conversation, body | said).status_code == 200
        assert Message.objects.get().content == {"text_message": {"text": "hi"}}


def test_a_number_that_the_database_gives_back_longer_can_be_merged_into(api, conversation):
    patch(api, conversation, {"metadata_json": {"huge": 1e30}})

    answer = patch(api, conversation, {"metadata_json": {"b": 2}}, "?metadata_update_strategy=MERGE_PATCH")

    assert answer.json()["metadata_json"] == {"huge": 10**30, "b": 2}
