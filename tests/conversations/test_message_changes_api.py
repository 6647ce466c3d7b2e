"""Messages over the API, once they are there: changed, deleted, and the last of each person fetched."""

import json
from datetime import timedelta

import pytest

from conversations.models import Candidate, Message, Receipt, Status
from projects.ids import ulid
from projects.models import ProcessingMode
from tests.factories import (
    NOW,
    keep_dispatched,
    make_app,
    make_contact,
    make_conversation,
    make_message,
    make_project,
    make_template,
    path,
)


@pytest.fixture
def message(app):
    return make_message(app, accept_time=NOW)


def test_only_the_metadata_of_a_message_changes(api, message):
    url = path(message.project, f"messages/{message.id}")

    answer = api.patch(url, {"metadata": "n", "direction": "TO_APP"}, format="json").json()

    assert (answer["metadata"], answer["direction"]) == ("n", "TO_CONTACT")
    assert api.patch(url, {"metadata": "x" * 1024}, format="json").status_code == 200
    assert api.patch(url, {"metadata": "x" * 1025}, format="json").status_code == 400
    assert api.patch(url, {}, format="json").status_code == 400


def test_deleting_takes_all_that_was_written_about_it_and_the_conversation_learns_its_newest(
    api, app, message
):
    later = make_message(conversation=message.conversation, accept_time=NOW + timedelta(seconds=1))
    about = {"app": app, "message_id": later.id, "accept_time": later.accept_time}
    Receipt.objects.create(status=Status.DELIVERED, occurred_at=NOW, **about)
    Candidate.objects.create(position=0, level="APP", channel="SMS", verdict="TAKEN", **about)

    assert api.delete(path(app.project, f"messages/{later.id}")).json() == {}

    assert list(Message.objects.all()) == [message]
    assert not Receipt.objects.exists()
    assert not Candidate.objects.exists()
    message.conversation.refresh_from_db()
    assert message.conversation.newest_accept_time == NOW
    api.delete(path(app.project, f"messages/{message.id}"))
    message.conversation.refresh_from_db()
    assert message.conversation.newest_accept_time is None


def test_a_dispatched_message_is_in_the_other_store(api, app):
    keep_dispatched(app)
    message = make_message(app, processing_mode=ProcessingMode.DISPATCH)
    url = path(app.project, f"messages/{message.id}")

    assert api.delete(url).status_code == 404
    assert api.delete(f"{url}?messages_source=DISPATCH_SOURCE").status_code == 200


class TestFetchingTheLast:
    def fetch(self, api, app, **body):
        return api.post(path(app.project, "messages:fetch-last-message"), body, format="json")

    def test_one_message_each_newest_first(self, api, app):
        first, second = (make_conversation(app, make_contact(app.project, f"4670000001{n}")) for n in "12")
        for conversation, number in ((first, "46700000011"), (second, "46700000012")):
            for seconds in (0, 1):
                accept_time = NOW + timedelta(seconds=seconds + (10 if conversation is second else 0))
                make_message(conversation=conversation, accept_time=accept_time, identity=number)
        newest = [m.id for m in Message.objects.order_by("-accept_time") if m.accept_time.second in (1, 11)]

        by_identity = self.fetch(api, app, channel_identities=["+46700000011", "46700000012"]).json()
        by_contact = self.fetch(api, app, contact_ids=[first.contact_id, second.contact_id]).json()
        page = self.fetch(api, app, channel_identities=["46700000011", "46700000012"], page_size=1).json()
        token = page["next_page_token"]
        rest = self.fetch(
            api, app, channel_identities=["46700000011", "46700000012"], page_token=token
        ).json()

        assert [message["id"] for message in by_identity["messages"]] == newest
        assert [message["id"] for message in by_contact["messages"]] == newest
        assert [page["messages"][0]["id"], rest["messages"][0]["id"]] == newest

    def test_filters_choose_among_a_persons_messages(self, api, app, message):
        later = make_message(conversation=message.conversation, accept_time=NOW + timedelta(days=1))
        before = {"end_time": later.accept_time.isoformat()}

        (found,) = self.fetch(api, app, channel_identities=["46700000010"], **before).json()["messages"]

        assert found["id"] == message.id

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"channel_identities": ["1"], "contact_ids": ["2"]},
            {"contact_ids": [1]},
            {"contact_ids": ["x"], "messages_source": "DISPATCH_SOURCE"},
            {"channel_identities": ["1"], "page_size": 0},
        ],
    )
    def test_what_names_nobody_or_two_ways_is_refused(self, api, app, body):
        assert self.fetch(api, app, **body).status_code == 400

    def test_strangers_and_unknown_people_have_no_messages(self, api, app):
        theirs = make_message(make_app(make_project()))

        for body in (
            {"contact_ids": [theirs.conversation.contact_id, ulid(), "nonsense"]},
            {"channel_identities": [theirs.identity, "nobody"]},
        ):
            assert self.fetch(api, app, **body).json() == {"messages": [], "next_page_token": ""}


class TestTranscoding:
    def transcode(self, api, app, **changes):
        body = {
            "app_id": app.id,
            "app_message": {"media_message": {"url": "https://example.com/a.png"}},
            "channels": ["SMS", "KAKAOTALK"],
        }
        return api.post(path(app.project, "messages:transcode"), body | changes, format="json")

    def test_each_channel_says_what_becomes_of_a_message(self, api, app):
        shown = self.transcode(api, app).json()["transcoded_message"]

        assert shown.keys() == {"SMS", "KAKAOTALK"}
        assert all("https://example.com/a.png" in text for text in shown.values())
        assert not Message.objects.exists()

    def test_whatsapp_says_it_in_json(self, api, app):
        message = {"text_message": {"text": "“Hello”"}}

        shown = self.transcode(api, app, app_message=message, channels=["WHATSAPP", "SMS"]).json()

        assert json.loads(shown["transcoded_message"].pop("WHATSAPP"))["text"] == {"body": "“Hello”"}
        assert shown == {"transcoded_message": {"SMS": "“Hello”"}}

    def test_a_template_is_filled_in(self, api, app):
        template = make_template(app.project).public_id
        reference = {"template_id": template, "version": "1", "parameters": {"name": "Ada"}}
        message = {
            "template_message": {"omni_template": reference},
            "explicit_channel_omni_message": {
                "MMS": {"template_reference": reference | {"version": "2"}},
                "RCS": {"template_reference": reference | {"parameters": {"name": "Bob"}}},
            },
        }

        shown = self.transcode(api, app, app_message=message, channels=["SMS", "RCS", "MMS"]).json()

        assert shown == {"transcoded_message": {"SMS": "Hello Ada", "RCS": "Hello Bob", "MMS": ""}}

    @pytest.mark.parametrize(
        "changes", [{"channels": []}, {"channels": ["PIGEON"]}, {"app_message": {}}, {"app_id": None}]
    )
    def test_bad_input_is_refused(self, api, app, changes):
        assert self.transcode(api, app, **changes).status_code == 400

    def test_a_foreign_app_does_not_exist(self, api, app):
        assert self.transcode(api, app, app_id=make_app(make_project()).id).status_code == 404
