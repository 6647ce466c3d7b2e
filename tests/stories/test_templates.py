"""A client sends a template; the contact reads it filled in, the client gets back what it sent."""

import pytest

from conversations.composing import templates
from conversations.composing.templating import Wording
from conversations.models import Candidate, Message
from gateway.channels.base import Channel
from tests.factories import make_contact, make_credential, make_project, make_template, path


def omni(template_id, version="1", **more):
    return {"omni_template": {"template_id": template_id, "version": version} | more}


@pytest.fixture
def send(api, app):
    def send(template_message, **fields):
        identities = [{"channel": "SANDBOX", "identity": "46700000008"}]  # answers with what it was told
        body = {
            "app_id": app.id,
            "recipient": {"identified_by": {"channel_identities": identities}},
            "message": {"template_message": template_message},
        }
        return api.post(path(app.project, "messages:send"), body | fields, format="json")

    return send


@pytest.fixture
def template(project):
    return make_template(project)


def heard(subscriber):
    return [message["contact_message"]["text_message"]["text"] for message in subscriber.got("message")]


def failures(subscriber):
    reports = subscriber.got("message_delivery_report")
    return [report["reason"]["code"] for report in reports if report["status"] == "FAILED"]


def test_the_contact_gets_the_template_filled_in(send, template, subscriber, settle):
    answer = send(omni(template.public_id, parameters={"name": "Ada"}))
    settle()

    assert heard(subscriber) == ["You said: Hello Ada"]
    assert subscriber.statuses_of(answer.json()["message_id"]) == ["QUEUED_ON_CHANNEL", "DELIVERED"]


def test_the_client_gets_the_message_back_as_it_was_sent(api, project, send, template, subscriber, settle):
    sent = omni(template.public_id, parameters={"name": "Ada"})

    message_id = send(sent).json()["message_id"]
    settle()

    (submitted,) = subscriber.got("message_submit_notification")
    stored = api.get(path(project, f"messages/{message_id}")).json()
    assert submitted["submitted_message"] == stored["app_message"] == {"template_message": sent}


def test_a_message_names_an_old_version(api, project, send, template, subscriber, settle):
    newer = {"language_code": "en-US", "version": "2", "text_message": {"text": "Hey ${name}"}}
    change = {"version": 1, "default_translation": "en-US", "translations": [newer]}
    api.put(path(project, f"templates/{template.public_id}", version=2), change, format="json")

    send(omni(template.public_id, "1", parameters={"name": "Ada"}))
    send(omni(template.public_id, "latest", parameters={"name": "Ada"}))
    settle()

    assert sorted(heard(subscriber)) == ["You said: Hello Ada", "You said: Hey Ada"]


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ({"version": "1"}, "TEMPLATE_INSUFFICIENT_PARAMETERS"),
        ({"version": "2"}, "TEMPLATE_NON_EXISTING_LANGUAGE_OR_VERSION"),
        ({"version": "1", "language_code": "ja"}, "TEMPLATE_NON_EXISTING_LANGUAGE_OR_VERSION"),
        ({"version": "1", "template_id": "none"}, "TEMPLATE_NOT_FOUND"),
    ],
)
def test_a_template_that_cannot_be_filled_in_fails_after_the_message_was_taken(
    send, template, subscriber, settle, reference, reason
):
    answer = send({"omni_template": {"template_id": template.public_id} | reference})
    settle()

    assert answer.status_code == 200
    assert failures(subscriber) == [reason]
    assert heard(subscriber) == []


def test_a_template_of_another_project_is_not_found(send, subscriber, settle):
    theirs = make_template(make_project())

    send(omni(theirs.public_id, parameters={"name": "Ada"}))
    settle()

    assert failures(subscriber) == ["TEMPLATE_NOT_FOUND"]


def test_a_template_that_was_deleted_while_the_message_waited_is_not_found(
    send, template, subscriber, settle
):
    send(omni(template.public_id, parameters={"name": "Ada"}))
    template.delete()
    settle()

    assert failures(subscriber) == ["TEMPLATE_NOT_FOUND"]


def test_a_channel_without_a_template_hands_over_to_the_next_that_has_one(
    api, project, send, app, subscriber, settle
):
    make_credential(app, Channel.WHATSAPP)
    contact = make_contact(project, "46700000010", (Channel.WHATSAPP, "46700000010"))
    own = {"template_id": "hello", "language_code": "en"}

    message_id = send({"channel_template": {"WHATSAPP": own}}, recipient={"contact_id": contact.id}).json()[
        "message_id"
    ]
    settle()

    assert subscriber.statuses_of(message_id) == ["SWITCHING_CHANNEL", "QUEUED_ON_CHANNEL", "DELIVERED"]
    first, second = Candidate.objects.filter(message_id=message_id).order_by("position")
    assert (first.channel, first.reason["code"]) == ("SANDBOX", "TEMPLATE_NOT_FOUND")
    assert (second.channel, second.verdict) == ("WHATSAPP", Candidate.Verdict.TAKEN)


@pytest.mark.parametrize(
    ("template_message", "field"),
    [
        ({}, "message.template_message"),
        ({"omni_template": {"template_id": "t"}}, "message.template_message.omni_template.version"),
        ({"omni_template": {"version": "1"}}, "message.template_message.omni_template.template_id"),
        (omni("t", parameters={"n": 1}), "message.template_message.omni_template.parameters.n"),
        (omni("t", parameters=[]), "message.template_message.omni_template.parameters"),
        (omni("t", language_code=1), "message.template_message.omni_template.language_code"),
        ({"channel_template": [1]}, "message.template_message.channel_template"),
        (
            {"channel_template": {"PIGEON": {"template_id": "t"}}},
            "message.template_message.channel_template.PIGEON",
        ),
        (
            {"channel_template": {"WHATSAPP": {}}},
            "message.template_message.channel_template.WHATSAPP.template_id",
        ),
    ],
)
def test_a_reference_that_is_none_is_refused_at_once(send, template_message, field):
    answer = send(template_message)

    assert answer.status_code == 400
    assert field in answer.json()["error"]["message"]
    assert not Message.objects.exists()


def test_many_templates_are_found_with_one_question(project, app, django_assert_num_queries):
    made = [make_template(project, Wording("en-US", "1", {"text_message": {"text": "x"}})) for _ in range(5)]
    messages = [
        Message(
            id=str(number), app=app, project_id=project.id, content={"template_message": omni(one.public_id)}
        )
        for number, one in enumerate([*made, *made])
    ]

    with django_assert_num_queries(1):
        assert len(templates.of_messages(messages)) == 10
    with django_assert_num_queries(0):
        assert templates.of_messages([Message(content={"text_message": {"text": "x"}})]) == {}
