"""A client asks what a contact can receive; each channel answers by webhook."""

import pytest

from conversations.models import CapabilityQuery
from gateway.channels.base import Channel
from projects.models import ProcessingMode
from tests.factories import api_client, make_app, make_contact, make_credential, make_project, path


def ask(api, app, *identities, **fields):
    named = [{"channel": channel, "identity": identity} for channel, identity in identities]
    body = {"app_id": app.id, "recipient": {"identified_by": {"channel_identities": named}}} | fields
    return api.post(path(app.project, "capability:query"), body, format="json")


def test_the_answer_repeats_the_question_and_the_webhook_answers_it(api, app, subscriber, settle):
    answer = ask(api, app, ("SANDBOX", "46700000010"), request_id="q-1")
    settle()

    assert answer.json() == {
        "app_id": app.id,
        "recipient": {
            "identified_by": {"channel_identities": [{"channel": "SANDBOX", "identity": "46700000010"}]}
        },
        "request_id": "q-1",
    }
    (told,) = subscriber.got("capability_notification")
    assert told == {
        "request_id": "q-1",
        "contact_id": "",
        "channel": "SANDBOX",
        "identity": "46700000010",
        "capability_status": "CAPABILITY_FULL",
        "channel_capabilities": [],
    }
    assert not CapabilityQuery.objects.exists()
    assert not app.project.contacts.exists()


def test_a_question_without_an_id_gets_one(api, app, subscriber, settle):
    request_id = ask(api, app, ("SANDBOX", "46700000010")).json()["request_id"]
    settle()

    assert len(request_id) == 26
    assert subscriber.got("capability_notification")[0]["request_id"] == request_id


def test_03_can_receive_nothing(api, app, subscriber, settle):
    ask(api, app, ("SANDBOX", "46700000003"))
    settle()

    (told,) = subscriber.got("capability_notification")
    assert told["capability_status"] == "NO_CAPABILITY"
    assert told["reason"]["code"] == "RECIPIENT_NOT_REACHABLE"


def test_every_identity_of_a_contact_is_asked_about_on_its_own(api, project, app, subscriber, settle):
    make_credential(app, Channel.RCS)
    contact = make_contact(project, "46700000010", (Channel.RCS, "46700000003"))

    ask(api, app, recipient={"contact_id": contact.id})
    settle()

    told = subscriber.got("capability_notification")
    assert {(one["channel"], one["capability_status"]) for one in told} == {
        ("SANDBOX", "CAPABILITY_FULL"),
        ("RCS", "NO_CAPABILITY"),
    }
    assert {one["contact_id"] for one in told} == {contact.id}


@pytest.mark.parametrize(
    ("has_credential", "code"),
    [(True, "UNSUPPORTED_OPERATION"), (False, "CHANNEL_CONFIGURATION_MISSING")],
)
def test_a_channel_that_cannot_be_asked_is_not_known(
    api, app, subscriber, settle, settings, has_credential, code
):
    settings.CHANNELS_SANDBOXED = frozenset()
    if has_credential:
        make_credential(app, Channel.SMS)

    ask(api, app, ("SMS", "46700000010"))
    settle()

    (told,) = subscriber.got("capability_notification")
    assert (told["capability_status"], told["reason"]["code"]) == ("CAPABILITY_UNKNOWN", code)


def test_a_known_number_is_answered_with_its_contact(api, project, app, subscriber, settle):
    contact = make_contact(project, "46700000010")

    ask(api, app, ("SANDBOX", "46700000010"))
    settle()

    assert subscriber.got("capability_notification")[0]["contact_id"] == contact.id


def test_a_dispatching_app_asks_about_identities_alone(api, project, app, subscriber, settle):
    app.processing_mode = ProcessingMode.DISPATCH
    app.save()
    contact = make_contact(project, "46700000010")

    refused = ask(api, app, recipient={"contact_id": contact.id})
    ask(api, app, ("SANDBOX", "46700000010"))
    settle()

    assert refused.status_code == 400
    assert subscriber.got("capability_notification")[0]["contact_id"] == ""


def test_a_credential_that_goes_takes_its_questions_along(api, app, subscriber, settle):
    ask(api, app, ("SANDBOX", "46700000010"))
    app.credentials.all().delete()

    settle()

    assert subscriber.got("capability_notification") == []
    assert not CapabilityQuery.objects.exists()


def test_request_ids_may_have_255_characters(api, app):
    assert ask(api, app, ("SANDBOX", "46700000010"), request_id="r" * 255).status_code == 200
    assert ask(api, app, ("SANDBOX", "46700000010"), request_id="r" * 256).status_code == 400


def test_apps_and_contacts_of_others_do_not_exist(api, app):
    stranger = make_project()
    theirs = make_contact(stranger, "46700000010")

    assert ask(api_client(stranger), app, ("SANDBOX", "46700000010")).status_code == 403
    assert ask(api, app, recipient={"contact_id": theirs.id}).status_code == 404
    assert ask(api, app, ("SANDBOX", "46700000010"), app_id=make_app(stranger).id).status_code == 404
